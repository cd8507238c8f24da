"""Run the fault injection: ``python -m tests.faults --topology single --seed 7 --seconds 60``."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.faults.report import show
from tests.faults.run import Result, run
from tests.faults.topology import TOPOLOGIES


def main() -> int:
    """Return 0 when the contract held, and 1 when it did not."""
    arguments = _parse()
    console = Console()
    names = list(TOPOLOGIES) if arguments.topology == "both" else [arguments.topology]
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    results = [
        _one(name, number, arguments.seconds, arguments.keep, console)
        for number in range(seed, seed + arguments.runs)
        for name in names
    ]
    broken = [result for result in results if result.violations]
    console.print(
        f"{len(results)} runs, {sum(result.messages for result in results)} messages acknowledged, "
        f"{len(broken)} runs with violations"
    )
    return 1 if broken else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just test-faults", description=__doc__)
    parser.add_argument("--topology", choices=[*TOPOLOGIES, "both"], default="both", help="one mongod, three, or both")
    parser.add_argument("--seed", type=int, help="what is done when; chosen at random when left out")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long things break, in each run")
    parser.add_argument("--runs", type=int, default=1, help="how many seeds, counting up from the first")
    parser.add_argument("--keep", type=Path, help="keep data and logs in this directory")
    return parser.parse_args()


def _one(topology: str, seed: int, seconds: float, keep: Path | None, console: Console) -> Result:
    console.print(f"{topology}, seed {seed}: breaking things for {seconds:g} s …")
    if keep is not None:
        directory = keep / f"{topology}-{seed}"
        directory.mkdir(parents=True)
        result = asyncio.run(run(topology, seed=seed, seconds=seconds, directory=directory))
    else:
        with tempfile.TemporaryDirectory(prefix="chat-mvp-faults-") as name:
            result = asyncio.run(run(topology, seed=seed, seconds=seconds, directory=Path(name)))
    show(result, console)
    return result


if __name__ == "__main__":
    sys.exit(main())
