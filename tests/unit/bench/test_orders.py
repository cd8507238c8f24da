"""The connection between driver and load generator."""

import msgspec

from chat_mvp import protocol
from chat_mvp.bench.load.frames import ENCODINGS, Connect, Delivered, Edit, Frame, Ping, React, Send
from chat_mvp.bench.orders import AnyEvent, AnyOrder, Crowd, Idle, Moment, Person, Returning, Room, Traffic
from chat_mvp.codec import CODECS, Refused

ID = "0123456789abcdef01234567"


def test_an_order_arrives_as_it_was_sent() -> None:
    order = Traffic(
        url="ws://127.0.0.1:1/ws",
        subprotocol=protocol.SUBPROTOCOL_JSON,
        people=[Person(ID, "token")],
        rooms=[Room(ID, [0], [0])],
        warmup_s=1,
        seconds=2,
        text_chars=3,
        window=4,
    )
    assert msgspec.json.decode(msgspec.json.encode(order), type=AnyOrder) == order
    idle = Idle(url="u", subprotocol="s", people=[], warmup=0, seconds=1)
    assert isinstance(msgspec.json.decode(msgspec.json.encode(idle), type=AnyOrder), Idle)
    crowd = Crowd(
        url="u", subprotocol="s", people=[Person(ID, "token")], epoch="e", returning=[Returning({ID: 3}, [(ID, 4)])]
    )
    assert msgspec.json.decode(msgspec.json.encode(crowd), type=AnyOrder) == crowd


def test_an_event_arrives_as_it_was_sent() -> None:
    moment = Moment(name="measuring")
    assert msgspec.json.decode(msgspec.json.encode(moment), type=AnyEvent) == moment


def test_the_server_understands_what_the_generator_says() -> None:
    said = [
        (Connect(token="t", known={ID: 3}, epoch="e"), protocol.Connect),
        (Send("1-2-a", ID, "hello"), protocol.MessageSend),
        (Edit(ID, "hello again"), protocol.MessageEdit),
        (React(ID, "👍"), protocol.ReactionAdd),
        (Delivered(ID, 7), protocol.Delivered),
        (Ping(), protocol.Ping),
    ]
    for name, encoding in ENCODINGS.items():
        for frame, expected in said:
            understood = CODECS[name].decode(encoding.encode(frame))
            assert not isinstance(understood, Refused)
            assert type(understood) is expected
            for field in frame.__struct_fields__:
                assert getattr(understood, field) == getattr(frame, field)


def test_the_generator_understands_what_the_server_says() -> None:
    said = [
        protocol.MessageAck(
            client_message_id="1-2-a",
            message_id=ID,
            conversation_id=ID,
            seq=5,
            rev=6,
            created_at="2026-11-21T10:00:00.123Z",
            status="sent",
            duplicate=False,
        ),
        protocol.Receipt(conversation_id=ID, user_id=ID, delivered_seq=5, read_seq=4),
        protocol.Error(code="not_found", detail="There is nothing."),
        protocol.Bye(code=1012, reason="restart", reconnect_after_ms=100),
        protocol.Drained(count=3),
    ]
    for name, encoding in ENCODINGS.items():
        for frame in said:
            understood = encoding.decode(CODECS[name].encode(frame))
            assert understood.type == frame.__struct_config__.tag
            shared = set(frame.__struct_fields__) & set(Frame.__struct_fields__)
            assert all(getattr(understood, field) == getattr(frame, field) for field in shared)
