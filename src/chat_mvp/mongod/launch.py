"""Runs as a script in the new process: binds its life to the server's, and then becomes mongod.

Arguments: the server's process id, then the command to run. It is separate from the package and started with ``python
-I -S``, so that it takes milliseconds. Doing the same between fork and exec could hang in a program with threads.
"""

import os
import sys

if __name__ == "__main__":
    server, command = int(sys.argv[1]), sys.argv[2:]
    os.umask(0o077)
    if sys.platform == "linux":
        import ctypes
        import signal

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        # The server may have been killed before the line above. Then no signal will arrive.
        if os.getppid() != server:
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606
