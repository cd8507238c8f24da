"""An invented history for the demo that stays open."""

from contextlib import AsyncExitStack

from chat_mvp.client import Client

PEOPLE = ("chidi", "dora", "emre")

CHOIR = "Choir on Thursdays"
LINES = (
    ("ada", "Good morning all! Rehearsal is at seven tonight."),
    ("dora", "I'll be ten minutes late, the tram is on strike 🚋"),
    ("chidi", "No problem, we start with the basses."),
    ("emre", "Of course. The basses always start 🙄"),
    ("bob", "Has anybody got the notes for the second movement?"),
    ("dora", "I have two copies. I'll bring one."),
    ("bob", "You are the best, thank you!"),
    ("ada", "Please learn bars 40 to 64 by heart. Yes, all of you."),
    ("emre", "שלום from the tenors, we have practised. Really."),
    ("chidi", "I heard you. So did the neighbours."),
    ("emre", "😂"),
    ("ada", "The concert hall confirmed the 12th: doors at 19:00, we sing at 20:00."),
    ("dora", "Do we wear black again?"),
    ("ada", "Black, and something red. Scarf, tie, shoes, you choose."),
    ("bob", "Red shoes it is 👠"),
    ("chidi", "I want a photograph of that."),
    ("dora", "Who drives? I have room for three and one double bass."),
    ("emre", "Me, please, and my mother sends cake."),
    ("ada", "Cake is accepted. See you at seven!"),
)
LETTERS = (
    ("dora", "ada", "Could you look over the programme before I print it?"),
    ("ada", "dora", "Gladly. Send it over."),
    ("dora", "ada", "Two pages, the second one is the texts:\n1. Locus iste\n2. Abendlied\n3. Shenandoah"),
    ("ada", "dora", "Lovely. Rheinberger has an h after the R, otherwise perfect."),
    ("dora", "ada", "Every year the same mistake. Printing now!"),
)


async def fill(url: str, password: str) -> None:
    """Let Ada, Bob and three more users write in a group and in pairs on a new server."""
    async with AsyncExitStack() as stack:
        clients = {name: await stack.enter_async_context(Client(url)) for name in ("ada", "bob", *PEOPLE)}
        for name in PEOPLE:
            email = f"{name}@example.org"
            await clients[name].register(name, email, password, display_name=name.capitalize())
        for name in ("ada", "bob"):
            await clients[name].login(name, password)
        ids = {name: (await client.me()).id for name, client in clients.items()}
        sessions = {
            name: await stack.enter_async_context(client.session(events=False)) for name, client in clients.items()
        }
        choir = await clients["ada"].group(CHOIR, [ids[name] for name in ("bob", *PEOPLE)])
        for name, text in LINES:
            await sessions[name].send(text, conversation_id=choir.id)
        for name, other, text in LETTERS:
            await sessions[name].send(text, to=ids[other])
