"""A WebSocket connection that collects every frame, so that a test can check which frames came, in which order."""

import asyncio
import itertools
import json
import socket as sockets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

Frame = dict[str, Any]

JSON = "chat.v1.json"
MSGPACK = "chat.v1.msgpack"

SOON_S = 10.0
"""How long a frame may take before a test gives up; on a quiet machine frames take milliseconds."""

QUIET_S = 0.3
"""How long a test listens before it believes that a frame does not come."""

WINDOW = 100
"""How many sends a test has open at once: fewer than a server may refuse to hold."""

_MESSAGE_EVENTS = (
    *("message.new", "message.edited", "message.deleted", "message.reaction", "message.pinned", "message.changed"),
)


class Socket:
    """One connection. ``frames`` holds all that came, in order; ``expect`` looks at each frame at most once."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[Frame] = []
        self.ready: Frame = {}
        self._taken: set[int] = set()
        self._live_from = 0
        self._answers: dict[str | int, asyncio.Future[Frame]] = {}
        self._arrived = asyncio.Event()
        self._refs = itertools.count(1)
        self._names = itertools.count(1)
        self._flowing = asyncio.Event()
        self._reader = asyncio.create_task(self._collect())

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        subprotocols: Iterable[str] | None = (JSON,),
        headers: dict[str, str] | None = None,
        origin: str | None = None,
        **options: Any,
    ) -> Self:
        """Shake hands and start to collect frames; ``options`` are those of ``websockets.connect``."""
        connection = await connect(
            url,
            subprotocols=None if subprotocols is None else [Subprotocol(name) for name in subprotocols],
            additional_headers=headers,
            origin=None if origin is None else Origin(origin),
            compression=None,
            max_size=None,
            ping_interval=None,
            proxy=None,
            close_timeout=2,
            **options,
        )
        socket = cls(connection)
        socket.read_on()
        return socket

    @property
    def packed(self) -> bool:
        return self.connection.subprotocol == MSGPACK

    @property
    def is_open(self) -> bool:
        return not self._reader.done()

    def read_on(self) -> None:
        """Take frames off the connection."""
        self._flowing.set()

    def stop_reading(self) -> None:
        """Leave what comes in the buffers of the network, as a client that hangs would."""
        self._flowing.clear()

    # --- to the server

    async def send_raw(self, data: str | bytes) -> None:
        await self.connection.send(data)

    async def send(self, type_: str, **fields: Any) -> None:
        """Send one frame without waiting for anything."""
        await self.connection.send(self.encode({"type": type_, **fields}))

    def encode(self, frame: Frame) -> str | bytes:
        if self.packed:
            return msgspec.msgpack.encode(frame)
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        try:
            text.encode()
        except UnicodeEncodeError:  # a lone surrogate can only travel as an escape
            return json.dumps(frame)
        return text

    async def ask(self, type_: str, **fields: Any) -> Frame:
        """Send a frame with a ``ref`` of its own and return the answer, which must not be an error."""
        answer = await self._settle(type_, fields)
        assert answer["type"] != "error", f"{type_} was refused: {answer}"
        return answer

    async def refused(self, code: str, type_: str, **fields: Any) -> Frame:
        """Send a frame that must be answered with an ``error`` of this code, and return that error."""
        answer = await self._settle(type_, fields)
        assert answer["type"] == "error", f"{type_} was accepted: {answer}, expected {code}"
        assert answer["code"] == code, f"{type_} was refused: {answer}, expected {code}"
        assert isinstance(answer["detail"], str)
        assert answer["detail"].strip()
        return answer

    async def tell(self, type_: str, **fields: Any) -> None:
        """Send a frame that has no answer, and make sure that it was taken without an error."""
        ref = f"tell-{next(self._refs)}"
        await self.send(type_, **fields, ref=ref)
        await self.ask("ping")
        errors = [frame for frame in self.frames if frame["type"] == "error" and frame.get("ref") == ref]
        assert not errors, f"{type_} was refused: {errors}"

    async def say(self, conversation_id: str, text: str, **fields: Any) -> Frame:
        """Send a message and return its acknowledgement."""
        fields.setdefault("client_message_id", self.new_name())
        return await self.ask("message.send", conversation_id=conversation_id, text=text, **fields)

    async def say_many(self, conversation_id: str, texts: Sequence[str], **fields: Any) -> list[Frame]:
        """Send messages in this order without waiting for each, a hundred at a time; return the acknowledgements."""
        acks: list[Frame] = []
        for start in range(0, len(texts), WINDOW):
            answers = [
                await self._begin(
                    "message.send",
                    {"client_message_id": self.new_name(), "conversation_id": conversation_id, "text": text, **fields},
                )
                for text in texts[start : start + WINDOW]
            ]
            acks += [await self._answer(answer, "message.send", within=20.0) for answer in answers]
        refused = [ack for ack in acks if ack["type"] != "message.ack"]
        assert not refused, f"{len(refused)} messages were refused: {refused[0]}"
        return acks

    def new_name(self) -> str:
        """Return a ``client_message_id`` that was not used before."""
        return f"{self.connection.id.hex}-{next(self._names)}"

    async def _settle(self, type_: str, fields: Frame) -> Frame:
        return await self._answer(await self._begin(type_, fields), type_)

    async def _begin(self, type_: str, fields: Frame) -> asyncio.Future[Frame]:
        ref = fields.pop("ref", None) or f"ask-{next(self._refs)}"
        answer = self._answers[ref] = asyncio.get_running_loop().create_future()
        await self.send(type_, **fields, ref=ref)
        return answer

    async def _answer(self, answer: asyncio.Future[Frame], type_: str, *, within: float = SOON_S) -> Frame:
        either: list[asyncio.Future[Any]] = [answer, self._reader]
        await asyncio.wait(either, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            state = "open" if self.is_open else f"closed with {self.connection.close_code}"
            raise AssertionError(f"no answer to {type_} within {within} s, {state}; {self._recently()}")
        return answer.result()

    # --- from the server

    async def expect(self, type_: str, *, within: float = SOON_S, **fields: Any) -> Frame:
        """Return the next frame of this type whose fields have these values; objects may be given in part."""
        wanted = {"type": type_, **fields}
        return await self.find(lambda frame: includes(frame, wanted), str(wanted), within=within)

    async def expect_text(self, text: str, type_: str = "message.new") -> Frame:
        """Return the message of the next event of this type with this text."""
        message: Frame = (await self.expect(type_, message={"text": text}))["message"]
        return message

    async def find(self, matches: Callable[[Frame], bool], wanted: str, *, within: float = SOON_S) -> Frame:
        """Return the first frame not taken yet that matches, waiting for it if need be."""
        try:
            async with asyncio.timeout(within):
                position = 0
                while True:
                    self._arrived.clear()
                    for index in range(position, len(self.frames)):
                        if index not in self._taken and matches(self.frames[index]):
                            self._taken.add(index)
                            return self.frames[index]
                    position = len(self.frames)
                    assert self.is_open, f"closed with {self.connection.close_code}; no {wanted}; {self._recently()}"
                    await self._arrived.wait()
        except TimeoutError:
            raise AssertionError(f"no {wanted} within {within} s; {self._recently()}") from None

    async def nothing(self, *types: str, within: float = QUIET_S) -> None:
        """Make sure that no frame of these types is there or comes, beside those that ``expect`` took."""
        await asyncio.sleep(within)
        extra = [f for i, f in enumerate(self.frames) if i not in self._taken and f["type"] in types]
        assert not extra, f"unexpected frames: {extra}"

    def all(self, *types: str, **fields: Any) -> list[Frame]:
        """Return all frames of these types so far, taken or not, whose fields have these values."""
        return [frame for frame in self.frames if frame["type"] in types and includes(frame, fields)]

    def texts(self, conversation_id: str) -> list[str]:
        """Return the texts of the new text messages of a conversation so far, in order."""
        return [
            frame["message"]["text"]
            for frame in self.all("message.new", message={"conversation_id": conversation_id, "kind": "text"})
        ]

    def messages(self, *types: str) -> list[Frame]:
        """Return the messages that came in events of these types (of any, when none is named), in order."""
        return [frame["message"] for frame in self.all(*(types or _MESSAGE_EVENTS))]

    def begin_live(self) -> None:
        """Count all frames so far as taken; ``live`` holds those that come from now on."""
        self._live_from = len(self.frames)
        self._taken.update(range(self._live_from))

    @property
    def live(self) -> list[Frame]:
        """The frames that came since ``begin_live``."""
        return self.frames[self._live_from :]

    @property
    def caught_up(self) -> list[Frame]:
        """The frames after ``ready`` up to and including ``drained``."""
        types = [frame["type"] for frame in self.frames]
        return self.frames[types.index("ready") + 1 : types.index("drained") + 1]

    # --- the end

    async def closed(self, within: float = SOON_S) -> int:
        """Wait until the server has closed the connection and return the close code."""
        done, _ = await asyncio.wait([self._reader], timeout=within)
        assert done, f"still open after {within} s; {self._recently()}"
        code = self.connection.close_code
        assert code is not None
        return code

    async def close(self) -> None:
        """Leave as a client would."""
        self.read_on()
        await self.connection.close()
        await self._reader

    def cut(self) -> None:
        """Lose the connection without a word, as a phone in a tunnel would."""
        self.connection.transport.abort()

    async def _collect(self) -> None:
        try:
            while True:
                await self._flowing.wait()
                data = await self.connection.recv()
                binary = isinstance(data, bytes)
                assert binary == self.packed, f"a frame of the wrong kind for {self.connection.subprotocol}: {data!r}"
                self._take_in(msgspec.msgpack.decode(data) if isinstance(data, bytes) else json.loads(data))
        except ConnectionClosed:
            pass
        finally:
            self._arrived.set()

    def _take_in(self, frame: Frame) -> None:
        answer = self._answers.pop(frame["ref"], None) if "ref" in frame else None
        if answer is not None:
            answer.set_result(frame)
            self._taken.add(len(self.frames))
        self.frames.append(frame)
        self._arrived.set()

    def _recently(self) -> str:
        lines = "\n".join(str(frame)[:300] for frame in self.frames[-12:])
        return f"the last of {len(self.frames)} frames:\n{lines}"


def narrow_socket(port: int) -> sockets.socket:
    """Return a TCP connection whose receiving side can hold next to nothing."""
    narrow = sockets.socket()
    narrow.settimeout(SOON_S)
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    try:
        narrow.connect(("127.0.0.1", port))
    except OSError:
        narrow.close()
        raise
    narrow.setblocking(False)
    return narrow


def includes(value: Any, wanted: Any) -> bool:
    """Tell whether ``value`` is ``wanted``, where objects may have more fields than asked for."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(key in value and includes(value[key], wanted[key]) for key in wanted)
    return bool(value == wanted)
