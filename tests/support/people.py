"""People as tests see them: an account, its tokens, and what it does over HTTP and WebSocket."""

import asyncio
import secrets
from typing import Any, Self
from urllib.parse import quote

import httpx

from tests.support.http import API, expect_json, expect_nothing, new_http
from tests.support.server import Server
from tests.support.socket import JSON, Socket

PASSWORD = "correct horse battery"
HISTORY_PAGE = 200


def unique(name: str) -> str:
    """Return a username that no other test uses."""
    return f"{name}_{secrets.token_hex(5)}"


class Person:
    """One signed-in account on one server. Every helper asserts that the server did what was asked."""

    def __init__(self, chat: "Chat", account: dict[str, Any], *, email: str) -> None:
        self._chat = chat
        self.email = email
        self.password = PASSWORD
        self.user: dict[str, Any] = account["user"]
        self.access_token: str = account["access_token"]
        self.refresh_token: str = account["refresh_token"]

    @property
    def id(self) -> str:
        user_id: str = self.user["id"]
        return user_id

    @property
    def username(self) -> str:
        username: str = self.user["username"]
        return username

    # --- HTTP

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.access_token}"} | options.pop("headers", {})
        return await self._chat.http.request(method, API + path, headers=headers, **options)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.request("GET", path, params=params or None)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.request("POST", path, json=body)

    async def put(self, path: str, **body: Any) -> httpx.Response:
        return await self.request("PUT", path, json=body)

    async def patch(self, path: str, **body: Any) -> httpx.Response:
        return await self.request("PATCH", path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.request("DELETE", path)

    async def add_contact(self, other: "Person") -> None:
        expect_json(await self.put(f"/contacts/{other.id}"))

    async def block(self, other: "Person") -> None:
        expect_nothing(await self.put(f"/contacts/{other.id}/block"))

    async def unblock(self, other: "Person") -> None:
        expect_nothing(await self.delete(f"/contacts/{other.id}/block"))

    async def direct(self, other: "Person") -> str:
        """Find or create the direct conversation with a person and return its id."""
        response = await self.post("/conversations", kind="direct", user_id=other.id)
        conversation_id: str = expect_json(response, 200 if response.status_code == httpx.codes.OK else 201)["id"]
        return conversation_id

    async def group(self, *members: "Person", name: str = "A room", **fields: Any) -> str:
        """Make a group with these people and return its id."""
        body = {"kind": "group", "name": name, "member_ids": [member.id for member in members], **fields}
        conversation_id: str = expect_json(await self.post("/conversations", **body), 201)["id"]
        return conversation_id

    async def conversation(self, conversation_id: str) -> dict[str, Any]:
        conversation: dict[str, Any] = expect_json(await self.get(f"/conversations/{conversation_id}"))
        return conversation

    async def conversations(self) -> list[dict[str, Any]]:
        conversations: list[dict[str, Any]] = expect_json(await self.get("/conversations", limit=200))["items"]
        return conversations

    async def members(self, conversation_id: str) -> dict[str, dict[str, Any]]:
        """Return the members of a conversation by user id."""
        page = expect_json(await self.get(f"/conversations/{conversation_id}/members", limit=200))
        return {member["user"]["id"]: member for member in page["items"]}

    async def say(self, conversation_id: str, text: str, **fields: Any) -> dict[str, Any]:
        """Send a message over HTTP and return it."""
        fields.setdefault("client_message_id", secrets.token_hex(8))
        response = await self.post(f"/conversations/{conversation_id}/messages", text=text, **fields)
        message: dict[str, Any] = expect_json(response, 201)
        return message

    async def message(self, message_id: str) -> dict[str, Any]:
        message: dict[str, Any] = expect_json(await self.get(f"/messages/{message_id}"))
        return message

    async def edit(self, message_id: str, text: str) -> dict[str, Any]:
        message: dict[str, Any] = expect_json(await self.patch(f"/messages/{message_id}", text=text))
        return message

    async def erase(self, message_id: str) -> dict[str, Any]:
        message: dict[str, Any] = expect_json(await self.delete(f"/messages/{message_id}"))
        return message

    async def react(self, message_id: str, emoji: str) -> dict[str, Any]:
        message: dict[str, Any] = expect_json(await self.put(reaction_path(message_id, emoji)))
        return message

    async def pin(self, message_id: str) -> dict[str, Any]:
        message: dict[str, Any] = expect_json(await self.put(f"/messages/{message_id}/pin"))
        return message

    async def unpin(self, message_id: str) -> dict[str, Any]:
        message: dict[str, Any] = expect_json(await self.delete(f"/messages/{message_id}/pin"))
        return message

    async def page(self, conversation_id: str, **params: Any) -> list[dict[str, Any]]:
        """Return one page of history."""
        page = expect_json(await self.get(f"/conversations/{conversation_id}/messages", **params))
        assert page["next"] is None
        messages: list[dict[str, Any]] = page["items"]
        return messages

    async def history(self, conversation_id: str) -> list[dict[str, Any]]:
        """Return the whole history, oldest first, fetched page by page."""
        messages: list[dict[str, Any]] = []
        while True:
            last_seq = messages[-1]["seq"] if messages else 0
            page = await self.page(conversation_id, after=last_seq, limit=HISTORY_PAGE)
            if not page:
                return messages
            messages += page

    # --- WebSocket

    async def connect(
        self,
        *,
        known: dict[str, int] | None = None,
        epoch: str | None = None,
        subprotocol: str = JSON,
        drained: bool = True,
        **options: Any,
    ) -> Socket:
        """Connect and return when ``ready`` came and, unless told otherwise, everything that was missed too.

        What was missed counts as taken: ``expect`` then waits for live frames only.
        """
        socket = await self._chat.open(subprotocols=[subprotocol], **options)
        fields: dict[str, Any] = {"token": self.access_token}
        if known is not None:
            fields["known"] = known
        if epoch is not None:
            fields["epoch"] = epoch
        await socket.send("connect", **fields)
        socket.ready = await socket.expect("ready")
        if drained:
            await socket.expect("drained", within=20.0)
            await socket.expect("presence.snapshot")
            socket.begin_live()
        return socket

    async def sign_in_again(self) -> "Person":
        """Return the same person with another session, as on a second device."""
        body = {"login": self.username, "password": self.password}
        response = await self._chat.http.post(f"{API}/auth/login", json=body)
        return Person(self._chat, expect_json(response), email=self.email)


class Chat:
    """A test's view of one server: makes people, opens sockets, and closes everything at the end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = new_http(server.origin)
        self._sockets: list[Socket] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        await self.http.aclose()

    async def person(self, name: str = "someone", **fields: Any) -> Person:
        """Register a person with a unique name that begins with ``name``."""
        username = unique(name)
        email = f"{username}@example.org"
        body = {"username": username, "email": email, "password": PASSWORD, **fields}
        response = await self.http.post(f"{API}/auth/register", json=body)
        return Person(self, expect_json(response, 201), email=body["email"])

    async def people(self, *names: str) -> list[Person]:
        """Register several people at once."""
        return list(await asyncio.gather(*(self.person(name) for name in names)))

    async def open(self, **options: Any) -> Socket:
        """Open a socket without saying anything on it."""
        socket = await Socket.open(self.server.websocket_url, **options)
        self._sockets.append(socket)
        return socket


def reaction_path(message_id: str, emoji: str) -> str:
    return f"/messages/{message_id}/reactions/{quote(emoji, safe='')}"
