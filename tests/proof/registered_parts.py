"""Checks from git that claims' parts are made of today what they were made of when they were registered.

Registrations before 2026-11-29 do not hold what a part is made of. Every commit of a registration is
unpacked, and its claims are given made-up numbers, a hash of model, data set, column and seed; a part that
makes the same of them as today reads the same columns, sides, direction and scale. Parts that differ are
printed, and it fails where those of a claim's last one of that time do, but for what KNOWN says of them.

python tests/proof/registered_parts.py /tmp/history
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from genbench.store.registrations import read_registrations

ROOT = Path(__file__).parents[2]
#: parts of last registrations that differ, and why that is no change of the claim
KNOWN = {
    "discrete-data": "the rule judge/2, declared in baselines/registrations.json, takes who has the best "
    "mean of logarithms in place of the best mean (commit 5887cebb)",
    "thin-manifold": "commit 8e864225, eight minutes later and before the first score, let the interval "
    "pay for the choice of the best",
    "multimodal-output": "squared error has SRGAN's own steps and average of weights since 2026-11-29, whose "
    "registration says that it was made with scores at hand",
    "tuning-budget": "registered anew before its first score: its bars are of another measure of spread",
}
#: prints what all claims' judged parts make of made-up numbers, in any version of genbench
PROGRAM = """
import hashlib, json
from genbench.core.claim import CLAIMS
class Planted:
    def __init__(self, runs, low, high): self.runs, self.low, self.high = runs, low, high
    def number(self, *about):
        digest = lambda s: hashlib.sha256(json.dumps([*about, s]).encode()).digest()
        share = lambda s: int.from_bytes(digest(s)[:6], "big") / 2**48
        return {s: self.low + (self.high - self.low) * share(s) for s in range(8)}
    def scores(self, run, column):
        title = lambda r: [r.model, r.dataset, sorted(dict(getattr(r, "dataset_options", {})).items())]
        alike = [r for r in self.runs if title(r) == title(run)]
        return self.number(title(run), alike.index(run) if run in alike else -1, column)
    def measured(self, column): return self.number("its experiment", column)
    def finished(self, run): return list(range(8))
made = {}
for name in CLAIMS.names():
    claim, rows = CLAIMS.get(name), []
    for low, high in ((0.05, 0.95), (1.5, 9.5)):
        try: effects = [e for e in claim.function(Planted(claim.runs, low, high)) if e.judged]
        except (ArithmeticError, LookupError, ValueError): continue
        rows.append([[f"{s} {v:.6g}" for s, v in sorted(e.values.items())] for e in effects])
    made[claim.name.replace("_", "-")] = [str(row) for row in zip(*rows)]
print(json.dumps(made))
"""


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], check=True, capture_output=True, cwd=ROOT).stdout


def read_parts(source: Path) -> dict[str, list[str]]:
    """What all claims' parts make of made-up numbers, by the genbench in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=source,
        env=environment,
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def unpack(commit: str, folder: Path) -> Path:
    """The files of a commit; one with a plus had changes, which the commit after it has."""
    if commit.endswith("+"):
        commit = commit[:-1]
        later = git("rev-list", "--reverse", "--ancestry-path", f"{commit}..HEAD").decode().split()
        commit = later[0] if later else commit
    source = folder / commit
    if not source.exists():
        there = git("ls-tree", "--name-only", commit).decode().split()
        names = [name for name in ("genbench", "baselines") if name in there]
        with tarfile.open(fileobj=io.BytesIO(git("archive", commit, *names))) as archive:
            archive.extractall(source, filter="data")
    return source


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    kept: dict[Path, dict[str, list[str]]] = {}
    now, failed = read_parts(ROOT), []
    for claim, history in read_registrations().claims.items():
        unmade = [one for one in history if one.commit and "made_of" not in str(one.terms)]
        for registration in unmade:
            source = unpack(str(registration.commit), folder)
            if source not in kept:
                kept[source] = read_parts(source)
            then = kept[source].get(claim, [])
            both = zip(then, now.get(claim, []), strict=False)
            parts = [k for k, (old, new) in enumerate(both, 1) if old != new]
            last = registration is unmade[-1]
            why = KNOWN.get(claim, "") if last else "a later registration says what it changed"
            if parts:
                print(f"{claim}, {registration.date[:16]}: parts {parts} differ; {why}")
            if parts and last and not why:
                failed.append(claim)
    print(f"failed: {', '.join(failed)}" if failed else "last registrations hold")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
