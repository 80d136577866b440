"""Takes the registrations of claims from git: when every claim's terms of today were first committed.

Every commit that touched claims is unpacked and asked for its terms (bars, runs, options); a change of
wording is none. It wrote the first baselines/registrations.json; later ones come from
`genbench claims --register`.

python tests/proof/registrations.py /tmp/history --to baselines/registrations.json
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

from genbench.core.claim import CLAIMS
from genbench.running.claim_terms import compare_terms, list_terms
from genbench.running.same_terms import BY_RULE
from genbench.store.registrations import (
    FILE,
    Registration,
    Registrations,
    Replacement,
    hash_terms,
    write_registrations,
)

FOLDERS = ("genbench/claims", "genbench/experiments")
OLD_RULE, RULE = "judge/1", "judge/2"
NOTE = "taken from git: the first commit with these terms"
WHY = (
    "chosen by simulation of planted effects (docs/judge.md), without any claim's scores: contests by "
    "Welch's intervals, room for rare events, failed seeds as worst, levels for declared looks"
)
#: budgets that were set with scores at hand which are no longer kept, so that dates cannot tell
SEEN = {
    "training-stability": "commits 7439913 and 591d00b raised the rounds from 500 to 1,000 and 3,000 after "
    "scores at fewer rounds, which are no longer kept",
    "optimal-discriminator": "commit b6c143a raised the steps from 1,500 to 2,500 after its tests had "
    "measured it at fewer, and no scores of that time are kept",
}
#: prints all claims' terms, in any version of genbench
PROGRAM = """
import inspect, json
from genbench.core.claim import CLAIMS
class Empty:
    def scores(self, *a): return {}
    def measured(self, *a): return {}
    def finished(self, *a): return []
def terms(claim):
    judged = [e for e in claim.function(Empty()) if e.judged]
    parts = [dict(effect=e.name, bar=float(e.bar), wanted=e.wanted) for e in judged]
    runs = {}
    for run in claim.runs:
        inside = ", ".join(f"{k}={v}" for k, v in sorted(run.options.items()))
        head = f"{run.model}({inside}) on {run.dataset}" if inside else f"{run.model} on {run.dataset}"
        name, k = head, 2
        while name in runs: name, k = f"{head} #{k}", k + 1
        names = ("model", "dataset", "seeds", "steps", "batch", "labelled", "samples")
        about = {n: getattr(run, n, None) for n in names}
        runs[name] = about | {"metrics": sorted(run.metrics), "options": dict(run.options)}
    found = {"parts": parts, "runs": runs}
    if claim.experiment is not None:
        options = {k: p.default for k, p in sorted(inspect.signature(claim.experiment).parameters.items())
                   if p.kind is p.KEYWORD_ONLY}
        version = getattr(claim, "version", 1)
        found["experiment"] = {"options": options, "seeds": claim.seeds, "version": version}
    return found
print(json.dumps({name: terms(CLAIMS.get(name)) for name in CLAIMS.names()}))
"""


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], check=True, capture_output=True).stdout


def read_terms(commit: str, folder: Path) -> dict[str, dict]:
    """All claims' terms at a commit, kept in the folder."""
    kept = folder / f"{commit}.json"
    if not kept.exists():
        source = folder / commit
        with tarfile.open(fileobj=io.BytesIO(git("archive", commit, "genbench"))) as archive:
            archive.extractall(source, filter="data")
        environment = {**os.environ, "PYTHONPATH": str(source)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=source, env=environment, capture_output=True
        )
        kept.write_bytes(done.stdout if done.returncode == 0 else b"{}")
    return json.loads(kept.read_bytes())


def list_versions(folder: Path) -> dict[str, list[tuple[str, str, dict]]]:
    """By claim, the commits that changed its terms: commit, date, terms; what a merge undid is left out."""
    versions: dict[str, list[tuple[str, str, dict]]] = {}
    for line in git("log", "--reverse", "--format=%H %cI", "--", *FOLDERS).decode().splitlines():
        commit, date = line.split()
        for name, terms in read_terms(commit, folder).items():
            history = versions.setdefault(name.replace("_", "-"), [])
            if all(compare_terms(before, terms, BY_RULE) for _, _, before in history):
                history.append((commit, date, terms))
    return versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", type=Path, default=FILE)
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    date = (
        git("log", "-1", "--format=%cI", "--", "genbench/statistics/verdicts.py").decode().strip()
    )
    rules = [Replacement(rule=RULE, replaces=OLD_RULE, date=date, why=WHY)]
    versions, claims = list_versions(chosen.folder), {}
    for name in CLAIMS.names():
        claim = CLAIMS.get(name)
        now = list_terms(claim)
        now["parts"] = [{k: v for k, v in p.items() if k not in BY_RULE} for p in now["parts"]]
        history = versions.get(claim.id, [])
        if not history or compare_terms(history[-1][2], now, BY_RULE):
            print(f"{claim.id}: the terms of today are in no commit yet; register it")
        claims[claim.id] = [
            Registration(
                date=when,
                commit=commit,
                rule=OLD_RULE,
                terms=terms,
                hash=hash_terms(terms, OLD_RULE),
                note=NOTE,
                seen=SEEN.get(claim.id) if k == len(history) - 1 else None,
            ).sealed()
            for k, (commit, when, terms) in enumerate(history)
        ]
    write_registrations(chosen.to, Registrations(rules=rules, claims=claims))


if __name__ == "__main__":
    main()
