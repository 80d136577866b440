"""Places of a claim's runs as they were registered, by which its terms number runs of one name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from genbench.core.claim import Claim, Run
from genbench.running.claim_terms import describe_run, seeds_of
from genbench.running.same_terms import differing


def arrange_runs(claim: Claim, registered: Mapping[str, Any]) -> Claim:
    """Returns a claim whose runs stand as registered terms have them, and those that came later behind.

    So a run that is put in front of others, or another order, leaves what terms say of the others as it
    was. A run has the place of one with all that it is, else that of one of its model and data set.

    Arguments:
        claim: The claim.
        registered: The terms.
    """
    if max(Counter(run.title for run in claim.runs).values(), default=0) < 2:
        return claim
    places = list(registered.get("runs", {}).values())
    taken: dict[int, Run] = {}
    left = list(claim.runs)

    def settle(fits: Callable[[Mapping[str, Any], Run], bool]) -> None:
        for k, about in enumerate(places):
            run = next((run for run in left if fits(about, run)), None)
            if k not in taken and run is not None:
                taken[k] = run
                left.remove(run)

    settle(lambda about, run: not differing(about, describe_run(run) | seeds_of(claim)))
    settle(_has_title)
    return replace(claim, runs=(*(taken[k] for k in sorted(taken)), *left))


def _has_title(about: Mapping[str, Any], run: Run) -> bool:
    own = describe_run(run)
    return all(
        about.get(name) == own.get(name) for name in ("model", "dataset", "dataset_options")
    )
