// Two people exchange a message: node examples/hello.mjs [address of the server]. It needs no package.
const server = process.argv[2] ?? "http://127.0.0.1:8080";

async function person(name) {
  const username = `${name}_${crypto.randomUUID().slice(0, 8)}`;
  const body = JSON.stringify({ username, email: `${username}@example.org`, password: crypto.randomUUID() });
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`${server}/api/v1/auth/register`, { method: "POST", headers, body });
  return await answer.json();
}

function connect(token, take) {
  const socket = new WebSocket(`${server.replace("http", "ws")}/ws`, "chat.v1.json");
  const send = (frame) => socket.send(JSON.stringify(frame));
  socket.onopen = () => send({ type: "connect", token });
  socket.onmessage = ({ data }) => take(JSON.parse(data), send, socket);
}

const [ada, bob] = await Promise.all([person("ada"), person("bob")]);
connect(ada.access_token, (frame, send, socket) => {
  const message = { client_message_id: crypto.randomUUID(), to: bob.user.id, text: "Hello from JavaScript!" };
  if (frame.type === "ready") send({ type: "message.send", ...message });
  if (frame.type === "message.ack") socket.close();
});
connect(bob.access_token, (frame, send, socket) => {
  if (frame.type !== "message.new") return;
  const { conversation_id, seq, text } = frame.message;
  console.log(text);
  send({ type: "delivered", conversation_id, seq });
  socket.close();
});
