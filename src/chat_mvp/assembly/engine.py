"""The engine: the writer with what it needs, presence, typing, and the registry of connections."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat_mvp.assembly.foundation import Foundation
from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.bus import MemoryBus
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.snapshot import Snapshots
from chat_mvp.delivery.writer import Writer
from chat_mvp.features.conversations.views import ConversationViews
from chat_mvp.features.typing.service import TypingService
from chat_mvp.jobs.purge import PurgeConversation, PurgeQueue
from chat_mvp.jobs.runner import JobRunner
from chat_mvp.realtime.heartbeat import ConnectionLog
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.storage.commit import COMMITS_AT_ONCE, MongoCommit
from chat_mvp.storage.connections import Connections
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.jobs import Jobs
from chat_mvp.storage.purging import Leftovers
from chat_mvp.storage.summaries import Summaries


@dataclass(frozen=True)
class Engine:
    """The parts."""

    bus: MemoryBus
    blocks: Blocks
    rosters: Rosters
    receipts: Receipts
    snapshots: Snapshots
    views: ConversationViews
    jobs: JobRunner
    commits: Sequence[MongoCommit]
    writer: Writer
    presence: PresenceTracker
    typing: TypingService
    registry: Registry
    connection_log: ConnectionLog


def build_engine(base: Foundation) -> Engine:
    """Build the parts, connected with each other by the bus."""
    settings, database, clock = base.settings, base.database, base.clock
    bus, blocks = MemoryBus(), Blocks(base.arrivals.fetch_blocks)
    receipts = Receipts(bus, blocks)
    rosters = Rosters(base.conversations, base.contacts, base.directory.fetch_users)
    snapshots = Snapshots(base.conversations, base.messages, Summaries(database.collections), blocks)
    presence = PresenceTracker(
        fetch_presences=base.arrivals.fetch_presences,
        save_last_seen=base.users.save_last_seen,
        fetch_blocked=blocks.fetch,
        cache_seconds=settings.presence_ttl_seconds,
        clock=clock,
    )
    leftovers = Leftovers(database.collections)
    jobs = JobRunner(Jobs(database.collections), [PurgeConversation(leftovers), PurgeQueue(leftovers)])

    def is_reachable(sender_id: str, user_id: str) -> bool:
        return presence.is_reachable(user_id) and not blocks.may_part(sender_id, user_id)

    commits = [MongoCommit(database, number) for number in range(COMMITS_AT_ONCE)]
    writer = Writer(
        commits=commits,
        messages=base.messages,
        rosters=rosters,
        bus=bus,
        is_reachable=is_reachable,
        queue_max_members=settings.queue_max_members,
        job_stored=jobs.wake,
        check_room=base.check_room,
        clock=clock,
    )
    typing = TypingService(bus, rosters, blocks, presence.is_hidden)

    def connections_changed(user_id: str) -> None:
        presence.connections_changed(user_id)
        typing.connections_changed(user_id, {connection.id for connection in registry.of(user_id)})

    registry = Registry(connections_changed)
    bus.subscribe(registry.deliver)
    return Engine(
        bus=bus,
        blocks=blocks,
        rosters=rosters,
        receipts=receipts,
        snapshots=snapshots,
        views=ConversationViews(snapshots, base.conversations, base.messages, base.directory.fetch_users),
        jobs=jobs,
        commits=commits,
        writer=writer,
        presence=presence,
        typing=typing,
        registry=registry,
        connection_log=ConnectionLog(
            Connections(database.collections, process=new_id()),
            lambda: [connection.id for connection in registry],
            settings.heartbeat_seconds,
            clock,
        ),
    )
