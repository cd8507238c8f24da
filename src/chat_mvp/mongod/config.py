"""What the embedded mongod is told, as the text of its configuration file."""

import json
from typing import Any

from chat_mvp.mongod.layout import Layout

REPLICA_SET = "chat"
HOST = "127.0.0.1"

OPLOG_MIB = 256
"""The only member never has to catch up from it; change streams that resume do, and hours of chat fit."""

HISTORY_WINDOW_S = 0
"""Only backups read the past, and raise this while they run. Keeping five minutes of it costs: a counter that moves a
hundred times a second is kept in each of its states, and what was removed is still walked over."""

_JOURNAL = "log=(prealloc=false)"
"""One journal file of 100 MB instead of three made in advance: 104 instead of 304 MB on disk at the first start.

How often the journal is flushed stays as it is (every 100 ms), because it was measured to make no difference: a write
that asks for the journal flushes it itself. At every interval from 1 to 500 ms one insert with majority and journal
took 0.8 to 1.1 ms and a transaction of 256 inserts 3.0 to 4.2 ms (medians, several runs of each, two cores), as much
apart between runs of one interval as between intervals; but 1 ms kept an idle mongod at 4 % of a core, 100 ms at 0.5 %.
"""


def render(layout: Layout, *, port: int, cache_gb: float) -> str:
    """Return the configuration file. It holds no secret, only the path of the key file.

    Written as JSON, which is YAML with no surprises: a path with a colon, a hash or a quote stays one string.
    """
    settings: dict[str, Any] = {
        "net": {
            "bindIp": HOST,
            "port": port,
            # Otherwise a socket in /tmp, outside the data directory, for everyone to see.
            "unixDomainSocket": {"enabled": False},
            # The zlib compressor of mongod 6.0.5 discloses memory before authentication (CVE-2025-14847).
            "compression": {"compressors": "snappy"},
        },
        "security": {
            "authorization": "enabled",
            "keyFile": str(layout.key_file),
            "javascriptEnabled": False,
        },
        "replication": {"replSetName": REPLICA_SET, "oplogSizeMB": OPLOG_MIB},
        "storage": {
            "dbPath": str(layout.db_dir),
            "wiredTiger": {"engineConfig": {"cacheSizeGB": cache_gb, "configString": _JOURNAL}},
        },
        "systemLog": {
            "destination": "file",
            "path": str(layout.log_file),
            "logAppend": True,
            "logRotate": "reopen",
            "quiet": True,
        },
        "setParameter": {
            # A transaction orphaned by a client's timeout would block its conversation for 60 s.
            "transactionLifetimeLimitSeconds": 5,
            "oplogNetworkTimeoutBufferSeconds": 1,
            "minSnapshotHistoryWindowInSeconds": HISTORY_WINDOW_S,
            "diagnosticDataCollectionEnabled": False,
            # Otherwise anybody on this machine could make the first user, in the moment before we do.
            "enableLocalhostAuthBypass": False,
        },
    }
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
