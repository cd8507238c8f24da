"""The configuration file of the embedded mongod."""

import json
from typing import Any

from chat_mvp.mongod.layout import Layout

REPLICA_SET = "chat"
HOST = "127.0.0.1"

OPLOG_MIB = 256
"""The only member never catches up from the oplog. Resuming change streams do, and hours of chat fit into it."""

HISTORY_WINDOW_S = 0
"""Only backups read the past, and they raise this value while they run.

Keeping five minutes is expensive: a counter that changes a hundred times a second is kept in each of its states, and
removed entries are still scanned.
"""

_JOURNAL = "log=(prealloc=false)"
"""One journal file of 100 MB instead of three made in advance: 104 instead of 304 MB on disk at the first start.

The journal is flushed at the default interval (every 100 ms), because measurements showed no difference: a write that
asks for the journal flushes it itself. At every interval from 1 to 500 ms one insert with majority and journal took 0.8
to 1.1 ms and a transaction of 256 inserts 3.0 to 4.2 ms (medians, several runs of each, two cores). Runs of one
interval differed as much as intervals did. But 1 ms kept an idle mongod at 4 % of a core, 100 ms at 0.5 %.
"""


def render(layout: Layout, *, port: int, cache_gb: float) -> str:
    """Return the configuration file. It contains no secret, only the path of the key file.

    It is JSON, which is also YAML: a path with a colon, a hash or a quote stays one string.
    """
    settings: dict[str, Any] = {
        "net": {
            "bindIp": HOST,
            "port": port,
            # Otherwise mongod creates a socket in /tmp, outside the data directory, that all users see.
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
            # Otherwise a transaction orphaned by a client's timeout would block its conversation for 60 s.
            "transactionLifetimeLimitSeconds": 5,
            "oplogNetworkTimeoutBufferSeconds": 1,
            "minSnapshotHistoryWindowInSeconds": HISTORY_WINDOW_S,
            "diagnosticDataCollectionEnabled": False,
            # Otherwise every user of this machine could create the first database user before the server does.
            "enableLocalhostAuthBypass": False,
        },
    }
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
