"""Sends several commands of one transaction together over one connection.

The driver waits for the answer of each command before it sends the next, and each of these waits also waits for
everything else that the event loop has to do. The database executes the commands of one connection in the order in
which they arrive. After a command fails, it refuses the later ones of the transaction, so it is safe not to wait. The
driver has no public way to do this. Only this module uses its internals, so the driver is pinned to one minor release.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from bson.codec_options import DEFAULT_CODEC_OPTIONS
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.pool import AsyncConnection
from pymongo.helpers_shared import _check_command_response
from pymongo.message import _op_msg
from pymongo.read_preferences import ReadPreference

from chat_mvp.storage.client import RawDocument

Meanwhile = Callable[[], None]
AnswerCheck = Callable[[RawDocument], bool]
"""Returns whether the answer of a command is the expected one."""


class Step(NamedTuple):
    """One command of a transaction, and the check of its answer."""

    command: RawDocument
    is_expected: AnswerCheck


async def run_together(
    client: AsyncMongoClient[RawDocument],
    database: str,
    commands: Sequence[RawDocument],
    session: AsyncClientSession,
    meanwhile: Meanwhile,
) -> list[RawDocument]:
    """Run the commands in the session's open transaction and return their answers, in order.

    ``meanwhile`` is called after all of them are sent. No answer follows one with ``writeErrors``, because the later
    commands are refused only for that reason. When a command fails as a whole, the driver's error is raised, labelled
    as the driver does. In both cases the caller must abort the transaction.
    """
    async with await client._conn_for_writes(session, "transaction") as connection:  # noqa: SLF001
        requests: list[int] = []
        messages: list[bytes] = []
        largest = 0
        for command in commands:
            prepared = dict(command)
            session._apply_to(prepared, False, ReadPreference.PRIMARY, connection)  # noqa: SLF001
            connection.send_cluster_time(prepared, session, client)
            if session._starting_transaction:  # noqa: SLF001
                session._transaction.set_in_progress()  # noqa: SLF001
            request, message, _, size = _op_msg(
                0,
                prepared,
                database,
                ReadPreference.PRIMARY,
                DEFAULT_CODEC_OPTIONS,
                connection.compression_context,
            )
            requests.append(request)
            messages.append(message)
            largest = max(largest, size)
        await connection.send_message(b"".join(messages), largest)
        answers = await _receive(connection, requests, meanwhile)
        for answer in answers:
            await client._process_response(answer, session)  # noqa: SLF001
        accepted: list[RawDocument] = []
        for answer in answers:
            _check_command_response(answer, connection.max_wire_version)
            accepted.append(answer)
            if "writeErrors" in answer:
                break
        return accepted


async def _receive(
    connection: AsyncConnection,
    requests: Sequence[int],
    meanwhile: Meanwhile,
) -> list[RawDocument]:
    # Receive all answers, also after a failure: the next user of the connection must not get them.
    answers: list[RawDocument] = []
    try:
        meanwhile()
        for request in requests:
            reply: Any = await connection.receive_message(request)
            answers.append(reply.unpack_response(DEFAULT_CODEC_OPTIONS)[0])
    except BaseException:
        await connection.close_conn(None)
        raise
    return answers
