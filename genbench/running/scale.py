"""How thorough a pass over the claims is: their budget, or a part of it, and how many seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from genbench.core import options
from genbench.core.asked import require_counts
from genbench.core.claim import Claim, Run
from genbench.core.errors import unknown
from genbench.core.spec import MOST_SEEDS
from genbench.statistics.looks import Looks

#: what a budget is multiplied by; `quick` also takes fewer seeds and the experiments' quick options
SCALES = {"quick": 0.125, "half": 0.5, "default": 1.0, "double": 2.0}
QUICK_SEEDS = 6


@dataclass(frozen=True)
class Scale:
    """How thorough a pass over the claims is.

    Arguments:
        budget: A name in `SCALES`.
        seeds: How many seeds, or None for what every claim asks.

    Raises:
        UnknownName: For another budget.
        SpecError: If `seeds` is less than 1.
    """

    budget: str = "default"
    seeds: int | None = None

    def __post_init__(self) -> None:
        if self.budget not in SCALES:
            raise unknown("budget scale", self.budget, SCALES)
        require_counts(most=MOST_SEEDS, seeds=self.seeds)

    @property
    def mark(self) -> str | None:
        """What records say that are made at this scale: nothing at the claims' own budget."""
        return None if self.budget == "default" else self.budget

    @property
    def refutes(self) -> bool:
        """Whether the pass trains long enough to refute anything."""
        return self.budget != "quick"

    @property
    def words(self) -> list[str]:
        """What asks for this scale on a command line."""
        words = [] if self.budget == "default" else ["--budget-scale", self.budget]
        return words if self.seeds is None else [*words, "--seeds", str(self.seeds)]

    def run(self, run: Run, first_seed: int = 0) -> Run:
        """Returns a run at this scale, from the first seed of its claim on."""
        steps = max(1, round(run.steps * SCALES[self.budget]))
        if self.budget == "quick" and run.quick_steps is not None:
            steps = run.quick_steps
        return replace(run, first_seed=first_seed, steps=steps, seeds=self.count(run.seeds))

    def count(self, seeds: int) -> int:
        """Returns how many seeds to take where so many are asked for."""
        return self.seeds or (min(seeds, QUICK_SEEDS) if self.budget == "quick" else seeds)

    def looks(self, claim: Claim) -> Looks:
        """Returns the numbers of seeds at which a claim is judged: its own, then twice as many each time."""
        own = claim.seeds if claim.experiment is not None else 0
        planned = Scale(self.budget)
        return Looks(max([planned.count(own), *(planned.count(run.seeds) for run in claim.runs)]))

    def options(self, claim: Claim) -> dict[str, Any]:
        """Returns all options of a claim's experiment."""
        assert claim.experiment is not None
        quick = claim.quick if self.budget == "quick" else {}
        chosen = options.resolve(claim.experiment, quick, who=f"claim {claim.id}")
        if self.budget != "quick":
            for name in claim.scaled:
                chosen[name] = max(1, round(chosen[name] * SCALES[self.budget]))
        return chosen
