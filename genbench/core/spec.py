"""Suites and cells: what is to be run, checked strictly."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from genbench.core import allowed

#: more seeds than these nobody trains by one suite
MOST_SEEDS = 10_000


def _refuse_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("Input should be a number")
    return value


#: true and false, which would be 1 and 0, are no numbers of suites; bounds stand before it, so that the
#: published schema has them
NUMBER = BeforeValidator(_refuse_flag)
Whole = Annotated[allowed.Amount, NUMBER]
Counted = Annotated[allowed.Count, NUMBER]
Several = Annotated[allowed.Several, NUMBER]
Seed = Annotated[int, Field(le=allowed.LARGEST), NUMBER]
#: of which long runs draw more than anything else is counted to; every JSON reader knows these exactly
Examples = Annotated[int, Field(ge=1, le=2**53), NUMBER]
Real = Annotated[float, NUMBER]
Positive = Annotated[allowed.Positive, NUMBER]
Decay = Annotated[allowed.Decay, NUMBER]


class Strict(BaseModel):
    """A frozen record that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Budget(Strict):
    """How long one cell trains: exactly one of gradient rounds, training examples or seconds."""

    steps: Counted | None = Field(
        default=None, description="rounds; in a round every player moves"
    )
    examples: Examples | None = Field(
        default=None, description="real examples drawn, all players together"
    )
    seconds: Positive | None = Field(default=None, description="wall-clock seconds of training")

    @model_validator(mode="after")
    def _one(self) -> Budget:
        if sum(v is not None for v in (self.steps, self.examples, self.seconds)) != 1:
            raise ValueError("give exactly one of steps, examples, seconds")
        return self


class Training(Strict):
    """How players train where it is not as their model says; what is absent is as the model says."""

    rates: dict[str, Positive] | None = Field(
        default=None, description="by player, a factor on its step size"
    )
    share: Annotated[float, Field(gt=0, lt=1), NUMBER] | None = Field(
        default=None,
        description="of the updates of a round, those of the first of two players",
    )
    decay: Literal["constant", "linear", "cosine"] | None = Field(
        default=None, description="how the step sizes fall over the budget"
    )
    average: Decay | None = Field(
        default=None, description="decay of the weights' running average; 0: none"
    )
    stopping: Counted | None = Field(
        default=None,
        description="keep the weights of least validation loss among so many equal shares of the budget",
    )


class NoBudget(Budget):
    """The budget of what genbench did not train."""

    @model_validator(mode="after")
    def _one(self) -> NoBudget:
        if any(v is not None for v in (self.steps, self.examples, self.seconds)):
            raise ValueError("needs no steps, examples or seconds")
        return self


class Part(Strict):
    """A named plugin with options; a bare name in YAML means no options."""

    name: str
    options: dict[str, Any] = {}

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value}" for key, value in sorted(self.options.items()))
        return f"{self.name}({inside})" if inside else self.name


def _as_part(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


def _seeds(value: int | list[int]) -> int | list[int]:
    count = value if isinstance(value, int) else len(value)
    listed = [] if isinstance(value, int) else value
    if not 1 <= count <= MOST_SEEDS or len({*listed}) < len(listed) or min(listed, default=0) < 0:
        raise ValueError(
            f"needs a positive number of seeds, or a list of them, each once and >= 0, and at most "
            f"{MOST_SEEDS}"
        )
    return value


def parse_part(text: str) -> Part:
    """Returns a plugin with options written as text, `name:option=value:option=value`.

    Values stay text until the plugin's own types turn them into numbers; a colon that no `option=`
    follows is a part of the name (`module:function`) or of a value.
    """
    name, *options = re.split(r":(?=[A-Za-z_]\w*=)", text)
    return Part(name=name, options=dict(option.split("=", 1) for option in options))


def _parse(value: Any) -> Any:
    return parse_part(value) if isinstance(value, str) else value


PartField = Annotated[Part, BeforeValidator(_as_part, json_schema_input_type=str | Part)]
PartList = Annotated[
    list[PartField], BeforeValidator(_as_list, json_schema_input_type=PartField | list[PartField])
]


#: what chose among the trials of tuning
Criterion = Literal["samples", "density"]


class Cells(Strict):
    """Models × data sets, all with the same training settings."""

    models: PartList = Field(min_length=1)
    datasets: PartList = Field(min_length=1)
    budget: Budget | None = None
    batch: Counted | None = None
    labelled: Counted | None = Field(
        default=None, description="training labels that a seed sees, balanced; all if absent"
    )
    training: Training | None = Field(default=None, description="how all of the models train")
    tuned: bool | Criterion = Field(
        default=False,
        description="take the options of baselines/tuned.yaml, chosen by samples (true) or by density; "
        "options and ways of training that are named here hold all the same",
    )


class Suite(Strict):
    """A named comparison."""

    description: str
    seeds: Annotated[Seed | list[Seed], AfterValidator(_seeds)] = 8
    budget: Budget = Budget(steps=4000)
    batch: Counted = Field(default=256, description="real examples per seed in a minibatch")
    precision: Literal["float32", "float64"] = "float32"
    seeds_at_once: Counted | None = Field(
        None, description="seeds trained in one stack; all if absent"
    )
    metrics: list[PartField] = Field(min_length=1)
    samples: Several = Field(
        default=10_000, description="generated points per seed for evaluation"
    )
    features: Annotated[
        Part | None, BeforeValidator(_parse, json_schema_input_type=str | Part | None)
    ] = Field(default=None, description="extractor; absent: what suits the data set")
    curve: Whole = Field(default=20, description="points on the learning curve")
    curve_metrics: list[PartField] = []
    curve_samples: Several = Field(
        default=1000, description="generated points per seed for each point of the curve"
    )
    cells: list[Cells] = Field(min_length=1)

    @property
    def seed_list(self) -> list[int]:
        """The seeds, in order."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)


class Criteria(Strict):
    """What trials are compared by on the validation split; each makes a choice of its own."""

    samples: PartField = Field(description="a column of generated points")
    density: PartField | None = Field(
        default=None, description="a column of log densities, for models that have one"
    )


class Tuning(Strict):
    """How all models are tuned on one data set: the same trials, cost, criteria and rule for each.

    Everything but `models` and `trials` is hashed into every file of trials.
    """

    dataset: str | None = Field(default=None, description="the data set; absent: the plan's name")
    options: dict[str, Any] = Field(default={}, description="of the data set")
    budget: Budget
    batch: Counted = Field(default=128, description="real examples per seed in a minibatch")
    criteria: Criteria
    samples: Several = Field(default=1000, description="generated points per seed for a score")
    features: Annotated[
        Part | None, BeforeValidator(_parse, json_schema_input_type=str | Part | None)
    ] = Field(default=None, description="extractor; absent: what suits the data set")
    seeds: Counted = Field(default=2, description="seeds of a trial, in one stack")
    bracket: Several = Field(
        default=4, description="trials that are halved among themselves, after the first"
    )
    rungs: list[Real] = Field(
        default=[0.25, 0.5, 1.0], description="shares of the budget at which trials are scored"
    )
    keep: Annotated[float, Field(gt=0, le=1), NUMBER] = Field(
        default=0.5, description="the share that goes on from a rung"
    )
    trials: Counted = Field(default=21, description="the default and brackets of others")
    models: list[str] = Field(
        default=[], description="absent: all that are trained and can do the data"
    )
    base: dict[str, dict[str, Any]] = Field(
        default={}, description="by model, options that all of its trials have"
    )

    @model_validator(mode="after")
    def _rising(self) -> Tuning:
        if sorted(set(self.rungs)) != self.rungs or self.rungs[-1:] != [1.0] or self.rungs[0] <= 0:
            raise ValueError("rungs must rise from above 0 to 1")
        return self


class SuiteFile(Strict):
    """The whole of benchmarks.yaml."""

    version: Literal[1] = Field(default=1, alias="schema")
    suites: dict[str, Suite]
    tuning: dict[str, Tuning] = Field(default={}, description="by data set")


class CellSpec(Strict):
    """All that decides the trained weights of one cell; its hash is the cell's name.

    Of samples from elsewhere, whose weights nobody here knows, it has a hash in place of a budget.
    """

    model: str
    model_version: int
    options: dict[str, Any]
    dataset: str
    dataset_version: int
    dataset_options: dict[str, Any] = {}
    budget: Budget | NoBudget
    batch: int
    labelled: int | None = None
    precision: Literal["float32", "float64"] = "float32"
    autocast: Literal["bf16"] | None = None
    #: whether losses are compiled, which changes rounding; absent from files where it is None
    compiled: Literal["inductor"] | None = Field(
        default=None, exclude_if=lambda compiled: compiled is None
    )
    #: absent from files where it is None
    training: Training | None = Field(default=None, exclude_if=lambda training: training is None)
    seed: int
    #: the sha256 of samples from elsewhere; absent from the file where it is None
    samples: str | None = Field(default=None, exclude_if=lambda samples: samples is None)

    @property
    def external(self) -> bool:
        """Whether the samples come from elsewhere, so that nothing was trained here."""
        return isinstance(self.budget, NoBudget)

    @property
    def shared(self) -> dict[str, Any]:
        """What the cells of a group have in common: all but the seed, and the hash of its samples."""
        return self.model_dump(exclude_none=True, exclude={"seed", "samples"})

    @property
    def cell(self) -> str:
        """The cell's id: 16 hexadecimal digits of the sha256 of the canonical JSON."""
        return hashlib.sha256(canonical(self.model_dump(exclude_none=True)).encode()).hexdigest()[
            :16
        ]

    @property
    def group(self) -> str:
        """The id of the cell without its seed: cells of one group differ in the seed alone."""
        return hashlib.sha256(canonical(self.shared).encode()).hexdigest()[:16]


def schema() -> dict[str, Any]:
    """Returns the JSON schema of a suite file, for editors."""
    return SuiteFile.model_json_schema(by_alias=True)


def canonical(value: Any) -> str:
    """Returns JSON with sorted keys and no spaces, the form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
