"""A small server for tests to kill: holds an embedded replica set in the directory named on its command line.

Prints the process id and the address of mongod on two lines, then waits to be killed.
"""

import asyncio
import sys
from pathlib import Path

from chat_mvp.mongod import start_embedded


async def main() -> None:
    mongo = await start_embedded(Path(sys.argv[1]))
    sys.stdout.write(f"{mongo.pid}\n{mongo.uri}\n")
    sys.stdout.flush()
    await mongo.wait()


if __name__ == "__main__":
    asyncio.run(main())
