"""The engine: the writer with what it needs, presence, typing, and the registry of connections."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat_mvp.assembly.foundation import Foundation
from chat_mvp.consumers.consumer import Consumer
from chat_mvp.consumers.runner import ConsumerRunner
from chat_mvp.delivery.batch import Recipients
from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.bus import MemoryBus
from chat_mvp.delivery.local import LocalDelivery
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.snapshot import Snapshots
from chat_mvp.delivery.sweep import Sweep
from chat_mvp.delivery.writer import Writer
from chat_mvp.features.conversations.views import ConversationViews
from chat_mvp.features.typing.service import TypingService
from chat_mvp.jobs.purge import PurgeConversation, PurgeQueue
from chat_mvp.jobs.runner import JobRunner
from chat_mvp.realtime.block_updates import BlockUpdates
from chat_mvp.realtime.heartbeat import ConnectionLog
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.profiles import ProfileUpdates
from chat_mvp.realtime.registry import Registry
from chat_mvp.storage.acquaintances import Acquaintances
from chat_mvp.storage.commit import COMMITS_AT_ONCE, MongoCommit
from chat_mvp.storage.connections import Connections
from chat_mvp.storage.consumers import Consumers
from chat_mvp.storage.jobs import Jobs
from chat_mvp.storage.owed import OwedMessages
from chat_mvp.storage.purging import Leftovers
from chat_mvp.storage.summaries import Summaries


@dataclass(frozen=True)
class Engine:
    """The parts."""

    bus: MemoryBus
    blocks: Blocks
    owed: OwedMessages
    rosters: Rosters
    receipts: Receipts
    snapshots: Snapshots
    views: ConversationViews
    jobs: JobRunner
    consumers: ConsumerRunner
    commits: Sequence[MongoCommit]
    writer: Writer
    sweep: Sweep
    presence: PresenceTracker
    typing: TypingService
    registry: Registry
    profile_updates: ProfileUpdates
    block_updates: BlockUpdates
    connection_log: ConnectionLog


def build_engine(base: Foundation, consumers: Sequence[Consumer]) -> Engine:
    """Build the parts, connected with each other by the bus; ``consumers`` are given the events."""
    settings, database, clock = base.settings, base.database, base.clock
    bus, blocks = MemoryBus(), Blocks(base.arrivals.fetch_blocks)
    receipts = Receipts(bus, blocks)
    rosters = Rosters(base.conversations, base.contacts, base.directory.fetch_users)
    snapshots = Snapshots(
        conversations=base.conversations,
        messages=base.messages,
        recent=base.recent_messages,
        summaries=Summaries(database.collections),
        blocks=blocks,
    )
    presence = PresenceTracker(
        fetch_presences=base.arrivals.fetch_presences,
        save_last_seen=base.users.save_last_seen,
        fetch_blocked=blocks.fetch,
        cache_seconds=settings.presence_ttl_seconds,
        clock=clock,
    )
    owed = OwedMessages(database.collections)

    def is_reachable(sender_id: str, user_id: str) -> bool:
        return presence.is_reachable(user_id) and not blocks.may_part(sender_id, user_id)

    commits = [MongoCommit(database, number) for number in range(COMMITS_AT_ONCE)]
    typing = TypingService(bus.signal, rosters, blocks, presence.is_hidden)

    def connections_changed(user_id: str) -> None:
        presence.connections_changed(user_id)
        typing.connections_changed(user_id, {connection.id for connection in registry.of(user_id)})

    registry = Registry(connections_changed)
    writer = Writer(
        commits=commits,
        messages=base.messages,
        rosters=rosters,
        deliver=LocalDelivery(bus=bus, rosters=rosters, receipts=receipts, events=base.local_events).deliver,
        recipients=Recipients(
            is_reachable=is_reachable,
            is_connected=registry.is_connected,
            queue_max_members=settings.queue_max_members,
        ),
        process=base.process,
        check_room=base.check_room,
        clock=clock,
    )
    bus.subscribe(registry.deliver)
    leftovers = Leftovers(database.collections)
    jobs = JobRunner(
        Jobs(database.collections),
        [PurgeConversation(leftovers), PurgeQueue(leftovers)],
        count_batches=lambda: writer.batches,
    )
    return Engine(
        bus=bus,
        blocks=blocks,
        owed=owed,
        rosters=rosters,
        receipts=receipts,
        snapshots=snapshots,
        views=ConversationViews(snapshots, base.conversations, base.messages, base.directory.fetch_users),
        jobs=jobs,
        consumers=ConsumerRunner(consumers, store=Consumers(database.collections), streams=database.streams, now=clock),
        commits=commits,
        writer=writer,
        sweep=Sweep(writer=writer, rosters=rosters, owed=owed),
        presence=presence,
        typing=typing,
        registry=registry,
        profile_updates=ProfileUpdates(
            fetch_acquaintances=Acquaintances(database.collections).fetch,
            fetch_blocked=blocks.fetch,
            connected=registry.users,
            bus=bus,
        ),
        block_updates=BlockUpdates(fetch_users=base.directory.fetch_users, bus=bus),
        connection_log=ConnectionLog(
            Connections(database.collections, process=base.process),
            lambda: [connection.id for connection in registry],
            settings.heartbeat_seconds,
            clock,
        ),
    )
