"""Attacks genbench with seeded fuzzers, and prints what did not hold.

python tests/attack/attack.py [--tries N] [--only KIND]. Tries run in this process through `main`; every try
has a patience of its own. The exit code is 1 where any column but the first is not zero.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
#: a kind of try, and how many of it are made
KINDS = {
    "inputs": 420,
    "suites": 300,
    "records": 250,
    "trials": 150,
    "baselines": 200,
    "plugins": 200,
    "options": 300,
    "environment": 100,
}


def main() -> int:
    """Parses, attacks, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--tries", type=int, help="so many of each kind, in place of its own number"
    )
    parser.add_argument("--only", choices=KINDS, action="append")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="genbench-attack-") as place:
        os.environ["GENBENCH_CACHE"] = str(Path(place, "cache"))
        return run(given.only or list(KINDS), given.tries, given.seed, Path(place))


def run(kinds: list[str], tries: int | None, seed: int, place: Path) -> int:
    """Prints a row per kind, and every fault; returns the exit code."""
    from fuzzers import FUZZERS
    from outcome import FAULTS, attack

    print(
        f"{'':<12}{'tried':>8}"
        + "".join(f"{fault:>14}" for fault in FAULTS)
        + f"{'seconds':>10}   exit codes"
    )
    faults: list[str] = []
    total = dict.fromkeys(("tried", *FAULTS), 0)
    for kind in kinds:
        began = time.monotonic()
        tally = attack(FUZZERS[kind], tries or KINDS[kind], seed, place / kind)
        counts = {fault: len(found) for fault, found in tally.faults.items()}
        faults += [f"{fault}: {text}" for fault, found in tally.faults.items() for text in found]
        total = {k: total[k] + {"tried": tally.tried, **counts}[k] for k in total}
        row = "".join(f"{counts[fault]:>14}" for fault in FAULTS)
        print(
            f"{kind:<12}{tally.tried:>8}{row}{time.monotonic() - began:>10.0f}   "
            f"{dict(sorted(tally.codes.items()))}",
            flush=True,
        )
    print(f"{'all':<12}" + f"{total['tried']:>8}" + "".join(f"{total[f]:>14}" for f in FAULTS))
    for fault in faults:
        print(fault.encode("ascii", "backslashreplace").decode())
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
