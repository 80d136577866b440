"""What a record holds: one cell, what it cost and all that was measured of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from genbench.core.spec import CellSpec
from genbench.store.machines import find_other_parts, machine
from genbench.store.moments import Moment, earliest

SCHEMA = "genbench.record/2"
#: stands in place of a taxonomy where the samples come from elsewhere
EXTERNAL = "external"
#: by class of row, the names of all fields
_FIELDS: dict[type, set[str]] = {}
Status = Literal["ok", "diverged", "error", "timeout", "oom", "skipped"]
#: statuses that another attempt may change
FAILURES = ("error", "oom", "timeout")
#: what a protocol says of the source of a user's metric or extractor
CODE = re.compile(r",? code=[0-9a-f]{8}\b")
#: units of measurements that the machine decides and not the model
OF_TIME = ("ms", "s", "samples/s", "1/s", "calibrations")


class Row(BaseModel):
    """A part of a record; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    def model_post_init(self, context: Any) -> None:
        """Shares the names of fields among all rows: a third of the memory of many records."""
        kind = type(self)
        fields = _FIELDS.get(kind)
        if fields is None:  # `model_fields` is slow to ask for
            fields = _FIELDS.setdefault(kind, {*kind.model_fields})
        object.__setattr__(self, "__pydantic_fields_set__", fields)


class Measurement(Row):
    """One number, with all that is needed to know what it may be compared with.

    `key` names the question that was asked (metric, version, options, number of points, features),
    so that a later run knows what is still to be measured. `id` is the column (fid, recall …), `split`
    the reference it was compared with, `protocol` the sentence printed in column heads; two numbers
    with different (id, protocol, split) never share a column. `floor` is the same metric between two
    disjoint sets of real points at the same n.
    """

    id: str
    metric: str
    version: int
    key: str = ""
    protocol: str
    split: Literal["test", "train"] = "test"
    value: float | None
    stderr: float | None = None
    floor: float | None = None
    reason: str | None = None
    n_real: int | None = None
    n_fake: int | None = None
    better: Literal["lower", "higher", "none"] = "lower"
    unit: str = ""
    kind: Literal["exact", "bound", "estimate"] = "exact"
    seconds: float = 0.0
    #: what casts doubt on the number; absent from the file where it is None
    note: str | None = Field(default=None, exclude_if=lambda note: note is None)
    #: the machine that a time is of, as an environment's parts; absent where it is that of the record
    machine: dict[str, Any] | None = Field(
        default=None, exclude_if=lambda machine: machine is None
    )


def drop_replaced(old: Sequence[Measurement], new: Sequence[Measurement]) -> list[Measurement]:
    """Returns the old measurements but for those that new ones, of another source of a plugin, stand for.

    Arguments:
        old: What was measured before.
        new: What is measured now; of the same source nothing old is dropped.
    """
    codes = {_question(m): _code(m) for m in new}
    return [m for m in old if codes.get(_question(m), _code(m)) == _code(m)]


def _question(m: Measurement) -> tuple[str, ...]:
    return m.metric, m.id, m.split, CODE.sub("", m.protocol)


def _code(m: Measurement) -> list[str]:
    return CODE.findall(m.protocol)


class Used(Row):
    """What training cost. Seconds are shared by all seeds of the stack (`seeds_sharing`)."""

    steps: int = 0
    examples: int = 0
    seconds: float = 0.0
    seeds_sharing: int = 1
    peak_memory_bytes: int | None = None
    #: of a cell with `compiled`: players whose losses were compiled, and why others were not
    compiled: str | None = Field(default=None, exclude_if=lambda compiled: compiled is None)


class CurvePoint(Row):
    """One point of the learning curve: losses by player, and cheap metrics by column id."""

    step: int
    seconds: float
    losses: dict[str, float | None] = {}
    metrics: dict[str, float | None] = {}


class Record(Row):
    """One cell: a model on a data set with one seed and one budget, and all that was measured."""

    schema_: str = Field(default=SCHEMA, alias="schema")
    cell: str
    group: str
    status: Status
    phase: str | None = None
    reason: str | None = None
    failed_after_s: float | None = None
    spec: CellSpec
    taxonomy: str = ""
    #: the family of a plugin's model; absent from the file where the taxonomy says it
    family: str = Field(default="", exclude_if=lambda family: not family)
    parameters: int | None = None
    data_hashes: dict[str, str] = {}
    used: Used = Used()
    curve: list[CurvePoint] = []
    metrics: list[Measurement] = []
    sequential_steps: int | None = None
    environment: dict[str, Any] = {}
    artifacts: dict[str, str] = {}
    #: numbers that training measured or learnt, by the names of the model's buffers; absent from the file
    #: where there are none
    learnt: dict[str, float | None] = Field(default={}, exclude_if=lambda learnt: not learnt)
    #: the budget scale of the claims that a record was made for, where that is not their own budget;
    #: absent from the file where it is None
    scale: str | None = Field(default=None, exclude_if=lambda scale: scale is None)
    #: the metrics that a run named for itself, which leaderboards show whatever they are; absent from the
    #: file where there are none
    named: list[str] = Field(default=[], exclude_if=lambda named: not named)
    started: Moment = ""
    finished: Moment = ""
    #: when the first record of the cell was begun, where another has taken its place; absent from the
    #: file where there was none
    first_started: Moment = Field(default="", exclude_if=lambda started: not started)

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _of_one_kind(self) -> Record:
        external = self.spec.external
        if external != (self.taxonomy == EXTERNAL) or external != (self.spec.samples is not None):
            raise ValueError(
                "samples from elsewhere need a hash, no budget and the taxonomy external"
            )
        if external and (self.used.seconds or self.used.steps or self.curve):
            raise ValueError("samples from elsewhere have no training")
        return self

    @property
    def begun(self) -> str:
        """When the cell was first begun, "" where nobody noted it."""
        return self.first_started or self.started

    def after(self, *others: Record) -> Record:
        """Returns it as what takes the place of other records of the cell, whose first start it keeps."""
        first = earliest([self.begun, *(other.begun for other in others)]) or ""
        first = "" if first == self.started else first
        return self.model_copy(update={"first_started": first})

    @property
    def seeds(self) -> set[int]:
        """The seed, as a set; what a trial has too."""
        return {self.spec.seed}

    def find_conditions(self, m: Measurement) -> dict[str, Any]:
        """Returns the environment in which a measurement was made, where it is a time."""
        return {**self.environment, **(m.machine or {})}

    def measurement(self, id: str, split: str = "test") -> Measurement | None:
        """Returns the measurement of a column on a split, or None."""
        return next((m for m in self.metrics if m.id == id and m.split == split), None)


def take_times(
    measurements: Iterable[Measurement], source: Record, environment: Mapping[str, Any]
) -> list[Measurement]:
    """Returns measurements for a record of another environment: times keep the machine that they are of.

    Arguments:
        measurements: What a record holds.
        source: The record.
        environment: That of the record which takes them.
    """
    return [
        m.model_copy(update={"machine": find_other_parts(source.find_conditions(m), environment)})
        if m.unit in OF_TIME
        else m
        for m in measurements
    ]


def list_machines(records: Iterable[Record]) -> list[str]:
    """Returns the machines of records' times, in words; of those without times that which ran them."""
    words = set()
    for record in records:
        timed = [record.find_conditions(m) for m in record.metrics if m.unit in OF_TIME]
        words |= {machine(environment) for environment in timed or [record.environment]}
    return sorted(words)


def finite(value: float) -> float | None:
    """Returns a number as a record holds it: None where it is infinite or not a number."""
    return value if math.isfinite(value) else None


def contents(record: Record) -> dict[str, Any]:
    """Returns what a repetition of a cell gives again: all but times, memory, machine and purpose.

    Nor what older records of the same weights do not hold, the numbers that training learnt.
    """
    passing = {
        "started",
        "first_started",
        "finished",
        "failed_after_s",
        "environment",
        "scale",
        "learnt",
        "named",
    }
    content = record.model_dump(exclude=passing)
    content["used"] = {key: content["used"][key] for key in ("steps", "examples")}
    content["curve"] = [{k: v for k, v in p.items() if k != "seconds"} for p in content["curve"]]
    content["metrics"] = {
        (m["key"], m["id"], m["split"]): {k: v for k, v in m.items() if k != "seconds"}
        for m in content["metrics"]
        if m["unit"] not in OF_TIME
    }
    return content
