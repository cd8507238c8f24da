"""The live side of the Python client, against a server that does what the test says."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import ConnectionClosedOK

from chat_mvp.client import ClientError, ConnectionLostError, RefusedError, Session
from chat_mvp.client.backoff import FIRST_S
from chat_mvp.client.session import MAX_REFUSALS
from chat_mvp.protocol import ConversationReset, Drained, MessageNew, Ready
from tests.support.server import free_port
from tests.unit.client.scripted import (
    CONVERSATION,
    EPOCH,
    OTHER,
    FakeAccount,
    Frame,
    Peer,
    ScriptedServer,
    ack_of,
    message_new,
    more_of_ready,
    ready,
    scripted,
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted() as server:
        yield server


@pytest.fixture
def account(server: ScriptedServer) -> FakeAccount:
    return FakeAccount(server.url)


async def opened(server: ScriptedServer, session: Session, **options: object) -> tuple[Peer, Frame]:
    """Let the server welcome a session that is being opened; return its end and the client's ``connect``."""
    entering = asyncio.create_task(session.__aenter__())
    peer = await server.accept()
    hello = await peer.welcome(**options)
    await entering
    return peer, hello


async def left(session: Session) -> None:
    await session.__aexit__(None, None, None)


async def messages(session: Session, count: int) -> list[int]:
    """Take frames until so many new messages came and return their numbers."""
    found: list[int] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            frame = await session.next()
            if isinstance(frame, MessageNew):
                found.append(frame.message.seq)
    return found


async def test_the_first_frame_authenticates(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account, device_id="kitchen")
    _, hello = await opened(server, session)
    assert hello == {"type": "connect", "token": "token-0", "device_id": "kitchen"}
    assert session.ready is not None
    assert session.ready.epoch == EPOCH
    await left(session)


async def test_a_send_returns_once_it_is_acknowledged(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    sending = asyncio.create_task(session.send("Hello!", to=OTHER, priority="high"))
    frame = await peer.expect("message.send")
    assert (frame["text"], frame["to"], frame["priority"]) == ("Hello!", OTHER, "high")
    assert not sending.done()
    await peer.tell(ack_of(frame, seq=7))
    assert (await sending).seq == 7
    await left(session)


async def test_what_was_not_acknowledged_is_sent_again_in_order(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    sending = [asyncio.create_task(session.send(text, conversation_id=CONVERSATION)) for text in ("one", "two")]
    first = [await peer.expect("message.send") for _ in range(2)]
    peer.cut()
    peer = await server.accept()
    await peer.welcome()
    again = [await peer.expect("message.send") for _ in range(2)]
    assert again == first
    await peer.tell(*(ack_of(frame, seq) for seq, frame in enumerate(again, 1)))
    assert [ack.seq for ack in await asyncio.gather(*sending)] == [1, 2]
    await left(session)


async def test_frames_sent_without_a_connection_wait_for_one(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.close(1011)
    sending = asyncio.create_task(session.send("Hello?", conversation_id=CONVERSATION))
    peer = await server.accept()
    await peer.welcome()
    await peer.tell(ack_of(await peer.expect("message.send")))
    await sending
    await left(session)


async def test_a_busy_server_is_asked_again_with_the_same_name(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    sending = asyncio.create_task(session.send("Hello!", conversation_id=CONVERSATION))
    frame = await peer.expect("message.send")
    refusal = {"type": "error", "ref": frame["ref"], "code": "unavailable", "detail": "Later.", "retry_after_ms": 50}
    await peer.tell(refusal)
    assert await peer.expect("message.send") == frame
    await peer.tell(ack_of(frame))
    await sending
    await left(session)


async def test_a_refusal_is_final(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    sending = asyncio.create_task(session.send("Hello!", to=OTHER))
    frame = await peer.expect("message.send")
    await peer.tell({"type": "error", "ref": frame["ref"], "code": "cannot_message", "detail": "You cannot."})
    with pytest.raises(RefusedError, match="You cannot") as caught:
        await sending
    assert caught.value.code == "cannot_message"
    await left(session)


async def test_a_message_is_acknowledged_when_the_next_is_asked_for(
    server: ScriptedServer, account: FakeAccount
) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.tell(message_new(1), message_new(2), message_new(3))
    assert await messages(session, 2) == [1, 2]
    assert await peer.expect("delivered") == {"type": "delivered", "conversation_id": CONVERSATION, "seq": 1}
    await peer.nothing()
    await left(session)
    assert (await peer.expect("delivered"))["seq"] == 2


async def test_a_message_on_which_the_program_failed_is_not_acknowledged(
    server: ScriptedServer, account: FakeAccount
) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.tell(message_new(1))
    await messages(session, 1)
    error = RuntimeError("the program failed")
    await session.__aexit__(RuntimeError, error, None)
    with pytest.raises(ConnectionClosedOK):
        await peer.expect("delivered")


async def test_acknowledgements_are_gathered(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.tell(*(message_new(seq) for seq in range(1, 51)))
    await messages(session, 50)
    assert (await peer.expect("delivered"))["seq"] == 49
    await left(session)


async def test_on_reconnect_it_sends_known(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session, **{CONVERSATION: 4})
    await peer.tell(message_new(5))
    await messages(session, 1)
    peer.cut()
    peer = await server.accept()
    hello = await peer.welcome(recovered=True, **{CONVERSATION: 5})
    assert (hello["known"], hello["epoch"]) == ({CONVERSATION: 5}, EPOCH)
    await left(session)


async def test_a_message_that_comes_again_is_shown_once_and_acknowledged_again(
    server: ScriptedServer, account: FakeAccount
) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.tell(message_new(1), message_new(2))
    await messages(session, 2)
    assert (await peer.expect("delivered"))["seq"] == 1
    peer.cut()
    peer = await server.accept()
    await peer.expect("connect")
    # The acknowledgement was lost on the way, so the server has it in the queue still.
    await peer.tell(
        ready(recovered=True, **{CONVERSATION: 2}), message_new(1, queued=True), message_new(3, queued=True)
    )
    assert (await peer.expect("delivered"))["seq"] == 1
    assert await messages(session, 1) == [3]
    await left(session)


async def test_a_server_with_another_history_starts_it_anew(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session, **{CONVERSATION: 9})
    peer.cut()
    peer = await server.accept()
    await peer.expect("connect")
    await peer.tell(ready(recovered=False, **{CONVERSATION: 2}), message_new(1, queued=True))
    assert await messages(session, 1) == [1]
    await left(session)


async def test_what_happens_is_shown_in_order(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    reset = {"type": "conversation.reset", "conversation_id": CONVERSATION, "rev": 3, "last_seq": 3}
    await peer.tell({"type": "from.the.future", "x": 1}, reset, message_new(4))
    frames = [await session.next() for _ in range(4)]
    assert [type(frame) for frame in frames] == [Ready, Drained, ConversationReset, MessageNew]
    await left(session)


async def test_a_token_is_renewed_before_it_ends(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.tell({"type": "token.expiring", "expires_in": 60})
    assert await peer.expect("token") == {"type": "token", "token": "token-1"}
    await left(session)


async def test_a_token_that_has_ended_is_renewed(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    entering = asyncio.create_task(session.__aenter__())
    peer = await server.accept()
    await peer.expect("connect")
    await peer.close(4401)
    peer = await server.accept()
    assert (await peer.welcome())["token"] == "token-1"
    await entering
    await left(session)


@pytest.mark.parametrize("code", [4400, 1009])
async def test_a_client_at_fault_does_not_come_back(server: ScriptedServer, account: FakeAccount, code: int) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    sending = asyncio.create_task(session.send("Hello!", conversation_id=CONVERSATION))
    await peer.expect("message.send")
    await peer.close(code)
    with pytest.raises(ClientError, match=str(code)):
        await sending
    with pytest.raises(ClientError, match=str(code)):
        await messages(session, 1)
    with pytest.raises(ClientError, match=str(code)):
        await session.send("Still there?", conversation_id=CONVERSATION)
    await left(session)


async def test_a_connect_that_the_server_refuses_is_an_error(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    entering = asyncio.create_task(session.__aenter__())
    peer = await server.accept()
    await peer.expect("connect")
    await peer.tell({"type": "error", "code": "validation", "detail": "known is too long"})
    await peer.close(4401)
    with pytest.raises(RefusedError, match="known is too long"):
        await entering
    assert account.renewed == 0, "the token was not what was wrong"


async def test_a_server_that_takes_no_token_is_an_error(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    entering = asyncio.create_task(session.__aenter__())
    for _ in range(MAX_REFUSALS + 1):
        peer = await server.accept()
        await peer.expect("connect")
        await peer.close(4401)
    with pytest.raises(RefusedError):
        await entering
    assert account.renewed == MAX_REFUSALS


async def test_a_connection_that_never_catches_up_is_tried_less_and_less_often(
    server: ScriptedServer, account: FakeAccount
) -> None:
    session = Session(account)
    entering = asyncio.create_task(session.__aenter__())
    began = []
    for _ in range(4):
        peer = await server.accept()
        began.append(time.monotonic())
        await peer.expect("connect")
        await peer.tell(ready())
        await peer.close(4408)
    pauses = [after - before for before, after in itertools.pairwise(began)]
    assert pauses[-1] >= FIRST_S, "without drained, ready is no success"
    await entering
    await left(session)


async def test_the_list_of_conversations_is_complete_once_drained(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    entering = asyncio.create_task(session.__aenter__())
    peer = await server.accept()
    await peer.expect("connect")
    first = {**ready(**{CONVERSATION: 1}), "more": True}
    await peer.tell(first, more_of_ready(**{OTHER: 2}), {"type": "drained", "count": 0})
    await entering
    while not isinstance(await session.next(), Drained):
        pass
    assert session.ready is not None
    assert [state.id for state in session.ready.conversations] == [CONVERSATION, OTHER]
    await left(session)


async def test_it_reconnects_after_the_delay_of_bye(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.tell({"type": "bye", "code": 1012, "reason": "restart", "reconnect_after_ms": 700})
    told = time.monotonic()
    await peer.close(1012)
    peer = await server.accept()
    assert time.monotonic() - told >= 0.7
    await peer.welcome()
    await left(session)


async def test_after_4408_it_reconnects_at_once(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await peer.close(4408)
    peer = await server.accept(within=0.15)
    await peer.welcome()
    await left(session)


async def test_without_events_nothing_is_kept_and_nothing_acknowledged(
    server: ScriptedServer, account: FakeAccount
) -> None:
    session = Session(account, events=False)
    peer, _ = await opened(server, session)
    await peer.tell(*(message_new(seq) for seq in range(1, 2001)))
    sending = asyncio.create_task(session.send("Hello!", conversation_id=CONVERSATION))
    await peer.tell(ack_of(await peer.expect("message.send")))
    await sending
    with pytest.raises(ClientError, match="without events"):
        await session.next()
    await left(session)


async def test_no_connection_outlives_the_session(server: ScriptedServer, account: FakeAccount) -> None:
    session = Session(account)
    peer, _ = await opened(server, session)
    await left(session)
    await peer.connection_ends()

    failing = Session(account)
    peer, _ = await opened(server, failing)
    error = RuntimeError("the program failed")
    await failing.__aexit__(type(error), error, error.__traceback__)
    await peer.connection_ends()


async def test_a_session_given_up_before_it_is_welcomed_leaves_no_connection(
    server: ScriptedServer, account: FakeAccount
) -> None:
    entering = asyncio.create_task(Session(account).__aenter__())
    peer = await server.accept()
    await peer.expect("connect")
    entering.cancel()
    await asyncio.wait([entering])
    assert entering.cancelled()
    await peer.connection_ends()


async def test_without_a_server_the_error_says_so() -> None:
    session = Session(FakeAccount(f"http://127.0.0.1:{free_port()}"), first_within_s=0.3)
    with pytest.raises(ConnectionLostError, match="No chat server answers"):
        await session.__aenter__()


async def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ClientError, match="not the address"):
        await Session(FakeAccount("nonsense")).__aenter__()
