"""A changed display name or bio reaches the clients that show it, and no others; each change is one committed event."""

from typing import Any

from tests.support.events import stored_events
from tests.support.http import expect_json, expect_nothing
from tests.support.people import Chat, Person


async def change(person: Person, **fields: Any) -> dict[str, Any]:
    """Change a profile and return what others see of it."""
    own = expect_json(await person.patch("/users/me", **fields))
    return {name: own[name] for name in person.user}


async def test_users_who_share_a_conversation_get_it_and_strangers_do_not(chat: Chat) -> None:
    ann, bob, cat, dan = await chat.people("ann", "bob", "cat", "dan")
    await cat.group(ann, bob)
    sockets = [await person.connect() for person in (ann, bob, cat)]
    stranger = await dan.connect()
    shown = await change(ann, display_name="Ann B", bio="mine")
    for socket in sockets:
        frame = await socket.expect("user.updated")
        assert frame == {"type": "user.updated", "user": shown}
    assert expect_json(await dan.get(f"/users/{ann.id}")) == shown
    await stranger.nothing("user.updated")
    assert [events for events in await stored_events(chat.server, "profile.changed") if events[0]["user"] == shown] == [
        [{"type": "profile.changed", "user": shown}]
    ]


async def test_users_who_have_the_person_as_a_contact_get_it(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    await bob.add_contact(ann)
    await ann.add_contact(cat)
    admirer, admired = await bob.connect(), await cat.connect()
    shown = await change(ann, display_name="Another")
    assert (await admirer.expect("user.updated"))["user"] == shown
    await admired.nothing("user.updated")


async def test_it_passes_no_block(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    await cat.add_contact(ann)
    sockets = [await bob.connect(), await cat.connect()]
    await ann.block(bob)
    await cat.block(ann)
    own = await ann.connect()
    await change(ann, display_name="Another")
    await own.expect("user.updated")
    for socket in sockets:
        await socket.nothing("user.updated")
    await ann.unblock(bob)
    await change(ann, display_name="One more")
    assert (await sockets[0].expect("user.updated"))["user"]["display_name"] == "One more"
    assert (await bob.members(room))[ann.id]["user"]["display_name"] == "One more"


async def test_a_peer_who_does_not_see_the_conversation_yet_does_not_get_it(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    opener, peer = await ann.connect(), await bob.connect()
    await change(ann, display_name="Unseen")
    await opener.expect("user.updated")
    await peer.nothing("user.updated")
    await change(bob, display_name="Seen")
    assert (await opener.expect("user.updated", user={"id": bob.id}))["user"]["display_name"] == "Seen"
    await ann.say(room, "hello")
    joined = await peer.expect("conversation.joined")
    assert joined["conversation"]["peer"]["display_name"] == "Unseen"
    await change(ann, display_name="Seen as well")
    await peer.expect("user.updated", user={"display_name": "Seen as well"})


async def test_a_conversation_that_comes_back_shows_the_current_name_of_the_peer(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    shown = await change(ann, display_name="Renamed")
    peer = await bob.connect()
    await ann.say(room, "hello again")
    assert (await peer.expect("conversation.joined"))["conversation"]["peer"] == shown


async def test_changes_that_no_one_else_sees_are_no_events(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.group(bob)
    before = await stored_events(chat.server, "profile.changed")
    socket = await bob.connect()
    await change(ann, display_name=ann.user["display_name"], settings={"theme": "dark"}, status_text="out")
    await socket.nothing("user.updated")
    assert await stored_events(chat.server, "profile.changed") == before
