"""genbench run claims: the cells and the experiments that claims still need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common

if TYPE_CHECKING:
    from genbench.core.claim import Claim
    from genbench.core.spec import Suite
    from genbench.running.claims import Held
    from genbench.running.plan import Plan

NAME = "claims"
budget_scale = click.option(
    "--budget-scale",
    type=click.Choice(["quick", "half", "default", "double"]),
    default="default",
    show_default=True,
    help="How long claims' cells train; quick: an eighth of the rounds, six seeds.",
)


@dataclass
class Pass:
    """One pass over claims: what was asked, and what `run` does with a suite and a plan.

    Arguments:
        given: The command line's options.
        planned: Plans one suite.
        execute: Runs a plan and returns its rows.
        tell: Prints a line, unless the run is quiet.
    """

    given: dict[str, Any]
    planned: Callable[[Suite], Plan]
    execute: Callable[[Plan], list[dict[str, Any]]]
    tell: Callable[[str], None]
    plans: list[Plan] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def go(self, summary: Callable[[Plan], str]) -> None:
        """Makes the experiments, then the cells, a round after the other."""
        from genbench.running.claims import merged, suites_of

        found, scale = chosen(self.given), scale_of(self.given)
        self.rows += self.trials(found)
        runs = [scale.run(run) for made in found.values() for run in made.runs]
        for suites in suites_of(run for run in runs if self.wanted(run)):
            made = merged([self.planned(suite) for suite in suites])
            self.plans.append(made)
            self.tell(summary(made))
            if not self.given["dry_run"]:
                self.rows += self.execute(made)
            if made.stopped is not None:
                return

    def wanted(self, run: Any) -> bool:
        """Whether a run is among the models and data sets that are named."""
        models, datasets = self.given["models"], self.given["datasets"]
        return (not models or run.model in models) and (not datasets or run.dataset in datasets)

    def trials(self, found: dict[str, Claim]) -> list[dict[str, Any]]:
        """Makes the experiments that lack; returns a row each."""
        from genbench.running.claims import Held
        from genbench.store import Store

        if self.given["models"] or self.given["datasets"]:
            return []
        scale, store = scale_of(self.given), Store(self.given["root"])
        lacking: dict[str, list[int]] = {}
        for name, made in found.items():
            if made.experiment is None:
                continue
            held = Held(made, store, scale)
            seeds = list(range(scale.count(made.seeds))) if self.redo(held) else held.untried()
            if seeds:
                lacking[name] = seeds
                self.tell(f"experiment of {made.id}: {len(seeds)} seeds")
        return [] if self.given["dry_run"] else self.make(lacking)

    def redo(self, held: Held) -> bool:
        """Whether an experiment is made again though it has been made."""
        from genbench.store.trial import Trials

        if self.given["redo"] == "all":
            return True
        kept = Trials(held.store.root).read(held.claim, held.scale.options(held.claim))
        return self.given["redo"] == "failed" and kept is not None and bool(kept.failures)

    def make(self, lacking: dict[str, list[int]]) -> list[dict[str, Any]]:
        """Makes experiments for seeds and writes each down as it ends; returns a row each."""
        from genbench.executors.trials import Task, trials
        from genbench.store.trial import Trials

        given, rows = self.given, []
        shared = given["root"], given["device"], tuple(given["plugins"])
        tasks = [
            Task(name, scale_of(given), tuple(seeds), *shared) for name, seeds in lacking.items()
        ]
        workers = given["jobs"] if given["executor"] == "processes" else 1
        alone = [task for task in tasks if task.held.claim.timed]
        beside = [task for task in tasks if not task.held.claim.timed]
        beside.sort(key=lambda task: -len(task.seeds))  # the long ones first: none ends alone
        for task, trial in chain(trials(alone, 1), trials(beside, workers)):
            path = Trials(given["root"]).write(task.held.claim, trial)
            reason = next(iter(trial.failures.values()), None)
            if reason:
                click.echo(f"experiment of {task.held.claim.id} failed: {reason}", err=True)
            else:
                self.tell(f"experiment of {task.held.claim.id}: {trial.seconds:.0f} s")
            rows.append(
                {
                    "claim": task.held.claim.id,
                    "seeds": list(task.seeds),
                    "status": "error" if reason else "ok",
                    "reason": reason,
                    "seconds": trial.seconds,
                    "record": str(path),
                }
            )
        return rows


def chosen(given: dict[str, Any]) -> dict[str, Claim]:
    """Returns the claims that are named, or all."""
    from genbench.core.claim import find

    return find(given["claims"])


def scale_of(given: dict[str, Any]) -> Any:
    """Returns how thorough the pass is to be."""
    from genbench.running.claims import Scale

    return Scale(given["budget_scale"] or "default", given["seeds"])


def verdicts(given: dict[str, Any]) -> str:
    """Returns the command that shows the verdicts that a pass was for."""
    words = ["genbench claims", *given["claims"], *scale_of(given).words]
    words += [word for plugin in given["plugins"] for word in ("--plugin", plugin)]
    return " ".join([*words, "-o", str(given["root"])])


def refuse(given: dict[str, Any]) -> None:
    """Refuses options that mean nothing to claims, before anything is imported.

    Raises:
        SpecError: For --steps and --labelled, which claims decide.
        UnknownName: For an unknown claim, unless a plugin may bring it.
    """
    from genbench.core.errors import SpecError
    from genbench.core.names import check

    for name in ("steps", "labelled"):
        if given[name]:
            raise SpecError(
                f"run claims takes no --{name}, claims say it themselves; use --budget-scale"
            )
    for name in () if given["plugins"] else given["claims"]:
        check("claim", name.replace("-", "_"))


def finish(done: Pass, store: Any, ending: Callable[..., int], listed: Callable[..., Any]) -> int:
    """Prints what the pass did; returns the exit code."""
    if done.given["as_json"]:
        trials = [row for row in done.rows if "claim" in row]
        cells = [row for row in done.rows if "cell" in row]
        seen = [row for made in done.plans for row in listed(made, store, cells)]
        common.print_json([*trials, *{row["cell"]: row for row in seen}.values()])
    codes = [ending(made, done.rows) for made in done.plans]
    failed = any(row["status"] == "error" for row in done.rows)
    return max([*codes, 3 if failed else 0])
