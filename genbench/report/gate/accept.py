"""Accepting scores as a baseline."""

from __future__ import annotations

import getpass
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Set
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from genbench.core.errors import SpecError, StoreError
from genbench.core.files import RUNS, read_file, user_number, write_bytes
from genbench.core.tolerance import Tolerance
from genbench.report.gate.baseline import (
    SCHEMA,
    Accepted,
    Baseline,
    Guarded,
    Measured,
    Scored,
    load_baseline,
    scores_of,
    to_text,
)
from genbench.report.gate.regression_test import deviation, mean_of
from genbench.report.gate.tolerance import usual_tolerance
from genbench.running.cells import groups_of
from genbench.store import Measurement, Record, Store
from genbench.store.absent import no_records, run_command
from genbench.store.locks import changing
from genbench.store.record import list_machines
from genbench.store.suites import find_suite


def accept_results(
    results: Path | str = RUNS,
    path: Path | str = "baselines/ci.json",
    *,
    suite: str | None = None,
    config: Path | None = None,
    by: str | None = None,
    note: str = "",
    with_failures: bool = False,
    times: bool = False,
) -> tuple[Baseline, bool]:
    """Writes the scores of a results folder as a baseline; returns it, and whether the file changed.

    Tolerances and the level of an earlier file are kept; where the scores are what they were, the file
    stays as it is.

    Arguments:
        results: The folder.
        path: The baseline's file.
        suite: Accept this suite's cells alone.
        config: The suite file.
        by: Who accepts; by default $GIT_AUTHOR_NAME, else the user's name.
        note: Why, in a sentence.
        with_failures: Accept that cells failed; that many failures are no alarm later.
        times: Guard absolute times too, which only a machine of its own keeps.

    Raises:
        StoreError: If the folder holds no scores, or files that are not records, or runs that failed, or
            lacks cells of the suite.
    """
    folder, path = Path(results), Path(path)
    if not folder.is_dir():
        raise no_records(folder, suite or "ci", instead="--from results")
    if config is not None and suite is None:
        raise SpecError("--config needs --suite, got none; name a suite, or leave --config out")
    groups = groups_of(find_suite(suite, config)) if suite else None
    records, problems = Store(folder, groups=groups).load(curves=False)
    if problems:
        raise StoreError(
            f"{problems[0]}; a baseline needs a sound folder: genbench validate {quote(str(folder))}"
        )
    if groups is not None and records:
        _require_all(groups - {record.group for record in records}, len(groups), folder, suite)
    baseline = accept(
        records,
        suite=suite,
        by=by or os.environ.get("GIT_AUTHOR_NAME") or _user(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        note=note,
        with_failures=with_failures,
        times=times,
    )
    with changing(path):
        return _write(path, baseline)


def _write(path: Path, baseline: Baseline) -> tuple[Baseline, bool]:
    """Writes a baseline over the one in a file that only this process is changing."""
    if path.exists():
        baseline = update_baseline(load_baseline(path), baseline)
    content = to_text(baseline).encode()
    changed = not path.exists() or read_file(path) != content
    if changed:
        write_bytes(path, content)
    return baseline, changed


def _require_all(lacking: Set[str], total: int, folder: Path, suite: str | None) -> None:
    """Refuses a part of a suite: what is not accepted is not guarded."""
    if lacking:
        raise StoreError(
            f"{folder} has no records of {len(lacking)} of the {total} groups of cells of suite {suite!r}; "
            f"make them with: {run_command(folder, suite or 'ci')}; or accept what is there without --suite"
        )


def _user() -> str:
    """The user's name, or number where nobody knows the name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {user_number()}"


def accept(
    records: Iterable[Record],
    *,
    suite: str | None,
    by: str,
    when: str,
    note: str = "",
    with_failures: bool = False,
    times: bool = False,
) -> Baseline:
    """Returns the baseline of records: every directed column against held-out data.

    Arguments:
        records: What was measured.
        suite: Its name, for the reader.
        by: Who accepts.
        when: The time, as ISO 8601.
        note: Why, in a sentence.
        with_failures: Accept that cells failed; that many failures are no alarm later.
        times: Guard absolute times too.

    Raises:
        StoreError: If there is nothing to accept, or cells failed and that is not accepted.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[record.group].append(record)
    rows = [record for members in groups.values() for record in members]
    bad = [r for r in rows if r.status not in ("ok", "skipped")]
    if bad and not with_failures:
        first = bad[0]
        raise StoreError(
            f"a baseline needs completed runs, {len(bad)} did not complete (first {first.spec.model} on "
            f"{first.spec.dataset}, seed {first.spec.seed}: {first.status}, {first.reason}); "
            "mend them, or accept them as they are with --with-failures"
        )
    tolerances: dict[str, Tolerance | None] = {}
    cells = [_guarded(members, tolerances, times) for members in groups.values()]
    cells = sorted(
        (c for c in cells if c.scores or c.failed), key=lambda c: (c.dataset, c.model, c.group)
    )
    if not any(cell.scores for cell in cells):
        raise StoreError("a baseline needs scores, got records without any; measure some first")
    return Baseline(
        schema=SCHEMA,
        suite=suite,
        accepted=Accepted(by=by, when=when, note=note),
        measured=_measured(rows),
        tolerances=dict(sorted(tolerances.items())),
        cells=cells,
    )


def update_baseline(old: Baseline, new: Baseline) -> Baseline:
    """Returns the new baseline with what people set in the old one, or the old one if nothing moved."""
    tolerances = {id: old.tolerances.get(id, usual) for id, usual in new.tolerances.items()}
    new = new.model_copy(update={"tolerances": tolerances, "level": old.level})
    same = new.model_copy(update={"accepted": old.accepted})
    return old if same == old else new


def _guarded(
    members: list[Record], tolerances: dict[str, Tolerance | None], times: bool
) -> Guarded:
    """The cell of a group's records; notes the tolerances of its columns."""
    ok = [r for r in members if r.status == "ok"]
    spec = members[0].spec
    scores = []
    for m, values in scores_of(ok).values():
        tolerance = usual_tolerance(m, times=times)
        if m.split == "test" and m.better != "none" and tolerance is not None:
            tolerances[m.id] = tolerance
            scores.append(_scored(m, values))
    return Guarded(
        dataset=spec.dataset,
        model=spec.model,
        group=spec.group,
        spec=json.loads(json.dumps(spec.shared)),
        taxonomy=members[0].taxonomy,
        seeds=sorted(r.spec.seed for r in members),
        failed={
            r.spec.seed: r.status
            for r in sorted(members, key=lambda r: r.spec.seed)
            if r.status != "ok"
        },
        data=dict(sorted(ok[0].data_hashes.items())) if ok else {},
        machines=list_machines(ok),
        scores=sorted(scores, key=lambda s: (s.id, s.kind, s.protocol, s.version)),
    )


def _scored(m: Measurement, values: dict[int, float]) -> Scored:
    ordered = dict(sorted(values.items()))
    numbers = list(ordered.values())
    about = m.model_dump(
        include={
            *("id", "protocol", "split", "kind", "version"),
            *("better", "unit", "n_real", "n_fake"),
        }
    )
    return Scored(
        **about,
        n=len(numbers),
        mean=mean_of(numbers),
        spread=deviation(numbers) if len(numbers) > 1 else None,
        values=ordered,
    )


def _measured(records: list[Record]) -> Measured:
    environment: dict[str, set[str]] = defaultdict(set)
    for record in records:
        for key, value in record.environment.items():
            text = json.dumps(value, sort_keys=True) if isinstance(value, dict) else str(value)
            environment[key].add(text)
    commits = sorted(environment.pop("git", set()) - {"None"})
    times = sorted(time for r in records for time in (r.started, r.finished) if time)
    return Measured(
        first=times[0] if times else "",
        last=times[-1] if times else "",
        commits=commits,
        environment={key: sorted(values) for key, values in sorted(environment.items())},
    )
