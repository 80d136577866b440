"""Refuses what is asked of a run but would go unused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.core.errors import SpecError
from genbench.store.suites import CLAIMS

if TYPE_CHECKING:
    from genbench.running.suites import RunOptions

#: what claims say themselves, and what to do instead
SAID = {
    "config": "leave it out",
    "steps": "use --budget-scale",
    "labelled": "leave it out",
    "tuned_by": "leave it out",
    "metrics": "leave it out",
}
#: what goes with claims alone, as the command line calls it
OF_CLAIMS = {
    "claims": "claim",
    "budget_scale": "budget-scale",
    "until_decided": "until-decided",
}


def refuse_unused(suite: object, budget_scale: str, **asked: object) -> None:
    """Refuses what a suite leaves no room for, and what goes with claims alone.

    Arguments:
        suite: The suite's name, "claims", None for that of `demo`, or a suite.
        budget_scale: Which budget of claims.
        asked: Everything else, by its name in `genbench.api.run`; None, False and nothing are not asked.

    Raises:
        SpecError: If something that is asked would change nothing.
    """
    given = {name for name, value in asked.items() if value not in (None, False, (), [], "")}
    if "max_seeds" in given and "until_decided" not in given:
        raise SpecError("--max-seeds needs --until-decided; add it, or leave both out")
    if suite == CLAIMS:
        _refuse_of_claims(given)
        return
    if budget_scale != "default":
        given.add("budget_scale")
    _refuse_of_suites(suite, given)


def _refuse_of_claims(given: set[str]) -> None:
    """Refuses what claims say themselves."""
    for name, instead in SAID.items():
        if name in given:
            raise SpecError(
                f"run claims takes no --{name.replace('_', '-')}, claims say it themselves; {instead}"
            )
    if "until_decided" in given and given & {"models", "datasets"}:
        raise SpecError("--until-decided takes no --model or --dataset; name claims by --claim")


def _refuse_of_suites(suite: object, given: set[str]) -> None:
    """Refuses what goes with claims, and a file of suites beside a suite."""
    named = isinstance(suite, str | None)
    for name, option in OF_CLAIMS.items():
        if name in given:
            got = (repr(suite) if suite else "no suite") if named else "another"
            raise SpecError(
                f"--{option} needs the suite claims, got {got}; say: genbench run claims"
            )
    if "config" in given and not named:
        raise SpecError("config needs a suite's name, got a suite; leave config out")


def refuse_unused_options(options: RunOptions) -> None:
    """Refuses options of runs that trials of tuning do not take.

    Raises:
        SpecError: Naming the first.
    """
    usual = type(options)()
    for name in ("bf16", "compile", "named", "checkpoint_every"):
        if getattr(options, name) != getattr(usual, name):
            raise SpecError(f"tune takes no {name}; leave it out")
    if options.redo == "all":
        raise SpecError("tune needs redo 'missing' or 'failed', got 'all'; what was tried is kept")
