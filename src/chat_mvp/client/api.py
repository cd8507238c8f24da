"""The HTTP part of the client: accounts, users, conversations, history."""

import asyncio
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx
import msgspec
from msgspec import UNSET, Struct, UnsetType

from chat_mvp.client.errors import ClientError, ConnectionLostError, RefusedError, SignedOutError
from chat_mvp.client.session import Session
from chat_mvp.client.tokens import MemoryStore, Tokens, TokenStore
from chat_mvp.protocol import Conversation, Member, Message, OwnUser, User

API = "/api/v1"
TIMEOUT_S = 15.0
MAX_WAITS = 3
"""How often a request that came too soon is sent again."""
MAX_WAIT_MS = 10_000
"""For a longer wait, the caller decides."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _SignedIn(Struct, kw_only=True):
    user: User
    access_token: str | UnsetType = UNSET
    refresh_token: str | UnsetType = UNSET
    expires_in: int | UnsetType = UNSET


class _Problem(Struct, kw_only=True):
    code: str = "internal"
    detail: str = "The server answered with an error."
    retry_after_ms: int | None = None


class _Users(Struct, kw_only=True):
    items: list[User]


class _Members(Struct, kw_only=True):
    items: list[Member]
    next: str | None = None


class _Messages(Struct, kw_only=True):
    items: list[Message]


class _Conversations(Struct, kw_only=True):
    items: list[Conversation]
    next: str | None = None


class Client:
    """One user on one server. Use it as ``async with Client(url) as client``.

    Every method raises ``RefusedError`` when the server refuses, ``ConnectionLostError`` when it does not answer, and
    ``SignedOutError`` when no user is signed in. An expired access token is renewed automatically. A request that came
    too soon (``rate_limited``) is sent again after the time that the server gives, up to 10 s.
    """

    def __init__(
        self,
        url: str,
        *,
        store: TokenStore | None = None,
        device_name: str = "chat-mvp client",
    ) -> None:
        """Connect to the server at ``url`` as the user in ``store``. Without a store, the tokens are kept in memory."""
        self.url = url.rstrip("/")
        self._store: TokenStore = MemoryStore() if store is None else store
        self._tokens = self._store.load()
        self._device_name = device_name
        self._renewing = asyncio.Lock()
        self._http = httpx.AsyncClient(base_url=self.url, timeout=TIMEOUT_S, trust_env=not self.is_local)

    async def __aenter__(self) -> Self:
        """Return this client. The end of the block closes its connections and does not sign out."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def is_local(self) -> bool:
        """Return whether the server is on this machine. Then proxies of the environment are not used."""
        return urlsplit(self.url).hostname in _LOOPBACK

    # --- accounts

    async def register(self, username: str, email: str, password: str, *, display_name: str | None = None) -> User:
        """Create an account and sign in to it, unless its e-mail address must be confirmed first."""
        body = {"username": username, "email": email, "password": password}
        if display_name is not None:
            body["display_name"] = display_name
        return self._signed_in(await self._send("POST", "/auth/register", body))

    async def login(self, login: str, password: str) -> User:
        """Sign in with a username or an e-mail address."""
        body = {"login": login, "password": password, "device_name": self._device_name}
        return self._signed_in(await self._send("POST", "/auth/login", body))

    async def logout(self) -> None:
        """End this session on the server and forget its tokens."""
        await self.call("POST", "/auth/logout")
        self._keep(None)

    async def renew(self, spent: str) -> str:
        """Return an access token newer than ``spent``. Concurrent calls share one request."""
        async with self._renewing, self._store.exclusive():
            # Another program with the same store may have renewed it already, and a spent token must not be used again.
            self._tokens = self._store.load()
            if self._tokens is None:
                raise SignedOutError("You are not signed in.")
            if self._tokens.access_token != spent:
                return self._tokens.access_token
            try:
                data = await self._send("POST", "/auth/refresh", {"refresh_token": self._tokens.refresh_token})
            except RefusedError as error:
                if error.code not in {"unauthenticated", "token_expired"}:
                    raise
                self._keep(None)
                raise SignedOutError("The session has ended. Sign in again.") from error
            self._signed_in(data)
            return self.access_token

    @property
    def access_token(self) -> str:
        """The access token of the signed-in user."""
        if self._tokens is None:
            raise SignedOutError("You are not signed in.")
        return self._tokens.access_token

    # --- people and conversations

    async def me(self) -> OwnUser:
        """Return the account of the signed-in user."""
        return msgspec.json.decode(await self.call("GET", "/users/me"), type=OwnUser)

    async def find_users(self, beginning: str) -> list[User]:
        """Return users whose username, or a word of whose name, starts with ``beginning``."""
        data = await self.call("GET", "/users", params={"q": beginning})
        return msgspec.json.decode(data, type=_Users).items

    async def user(self, username: str) -> User:
        """Return the user with this username."""
        data = await self.call("GET", f"/users/by-username/{quote(username, safe='')}")
        return msgspec.json.decode(data, type=User)

    async def members(self, conversation_id: str) -> list[Member]:
        """Return all members of a conversation."""
        found: list[Member] = []
        params = {"limit": "200"}
        while True:
            data = await self.call("GET", f"/conversations/{conversation_id}/members", params=params)
            page = msgspec.json.decode(data, type=_Members)
            found += page.items
            if page.next is None:
                return found
            params["cursor"] = page.next

    async def conversations(self) -> list[Conversation]:
        """Return all conversations of the signed-in user, the most recently active first."""
        found: list[Conversation] = []
        params = {"limit": "200"}
        while True:
            data = await self.call("GET", "/conversations", params=params)
            page = msgspec.json.decode(data, type=_Conversations)
            found += page.items
            if page.next is None:
                return found
            params["cursor"] = page.next

    async def direct(self, user_id: str) -> Conversation:
        """Find or create the direct conversation with a user."""
        return await self._conversation({"kind": "direct", "user_id": user_id})

    async def group(self, name: str, member_ids: list[str]) -> Conversation:
        """Create a group."""
        return await self._conversation({"kind": "group", "name": name, "member_ids": member_ids})

    async def history(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Return messages in ascending order: the newest, or those before or after a sequence number."""
        params = {"limit": str(limit)}
        params |= {name: str(seq) for name, seq in (("before", before), ("after", after)) if seq is not None}
        data = await self.call("GET", f"/conversations/{conversation_id}/messages", params=params)
        return msgspec.json.decode(data, type=_Messages).items

    # --- live

    def session(self, *, events: bool = True, device_id: str | None = None) -> Session:
        """Return a live connection to use with ``async with``. Use ``events=False`` for one that only sends."""
        return Session(self, events=events, device_id=device_id)

    # --- anything else

    async def call(self, method: str, path: str, body: Any = None, *, params: dict[str, str] | None = None) -> bytes:
        """Send a request as the signed-in user, below ``/api/v1``, and return the body of the answer."""
        token = self.access_token
        try:
            return await self._send(method, path, body, params=params, token=token)
        except RefusedError as error:
            if error.code != "token_expired":
                raise
        return await self._send(method, path, body, params=params, token=await self.renew(token))

    async def _conversation(self, body: dict[str, Any]) -> Conversation:
        return msgspec.json.decode(await self.call("POST", "/conversations", body), type=Conversation)

    async def _send(
        self, method: str, path: str, body: Any = None, *, params: dict[str, str] | None = None, token: str = ""
    ) -> bytes:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        waits = 0
        while True:
            try:
                answer = await self._http.request(method, API + path, content=content, params=params, headers=headers)
            except httpx.TransportError as error:
                raise ConnectionLostError(f"No chat server answers at {self.url}.") from error
            except httpx.InvalidURL as error:
                raise ClientError(f"{self.url} is not a URL.") from error
            if answer.is_success:
                return answer.content
            refused = _refused(answer)
            # The server did nothing, so every request may be sent again.
            waits += 1
            after_ms = refused.retry_after_ms
            if refused.code != "rate_limited" or after_ms is None or after_ms > MAX_WAIT_MS or waits > MAX_WAITS:
                raise refused
            await asyncio.sleep(after_ms / 1000)

    def _signed_in(self, data: bytes) -> User:
        found = msgspec.json.decode(data, type=_SignedIn)
        if found.access_token and found.refresh_token and found.expires_in is not UNSET:
            self._keep(
                Tokens(access_token=found.access_token, refresh_token=found.refresh_token, expires_in=found.expires_in)
            )
        return found.user

    def _keep(self, tokens: Tokens | None) -> None:
        self._tokens = tokens
        self._store.save(tokens)


def _refused(answer: httpx.Response) -> RefusedError:
    try:
        problem = msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem(detail=f"The answer was {answer.status_code} {answer.reason_phrase}.")
    after = answer.headers.get("Retry-After", "")
    after_ms = int(after) * 1000 if after.isdigit() else None
    return RefusedError(
        problem.code,
        problem.detail,
        status=answer.status_code,
        retry_after_ms=after_ms if problem.retry_after_ms is None else problem.retry_after_ms,
    )
