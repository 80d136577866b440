"""Jobs: what is done for a few seeds at once, as values that travel, and how they end."""

from __future__ import annotations

import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from genbench.core.catalogue import place_to_record
from genbench.core.claim import CLAIMS
from genbench.core.device import choose_device
from genbench.core.errors import GenbenchError, text_of
from genbench.core.guard import ran_out
from genbench.core.spec import CellSpec, Part
from genbench.evaluation.provenance import hash_plugin
from genbench.running.interrupts import OutOfTime
from genbench.store import Record, Status
from genbench.store.environment import environment, now
from genbench.store.trial import Trial, claim_id
from genbench.store.tuning import TuningResult

#: seconds between two reports of a job's progress
SILENCE = 1.0


@dataclass(frozen=True)
class RunSettings:
    """What a run decides for all of its jobs: where, from which files, and how it is measured."""

    device: str = "auto"
    data_dir: Path | None = None
    offline: bool = False
    metrics: tuple[Part, ...] = ()
    curve_metrics: tuple[Part, ...] = ()
    samples: int = 10_000
    features: Part | None = None
    curve: int = 20
    curve_samples: int = 1000
    checkpoints: Path | None = None
    checkpoint_every: float = 30.0
    plugins: tuple[str, ...] = ()
    workers: int = 1
    #: the claims' budget scale that cells are trained for, where it is not their own budget
    scale: str | None = None
    #: the metrics that a user named, in place of a suite's
    named: tuple[str, ...] = ()
    #: seconds of wall clock that a job may take; None: as long as it needs
    timeout: float | None = None
    #: whether rounds are captured in CUDA graphs
    graphs: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a job is: its phase, the share of the phase, the rounds made, and its last score."""

    phase: str
    share: float
    step: int = 0
    #: the column or player, and the mean over seeds
    score: tuple[str, float] | None = None


Report = Callable[[Progress], None]


def no_score() -> None:
    """Returns no score."""


class Stage:
    """The phase that a job is in, so that a failure can say where it happened and when."""

    def __init__(self, report: Report = lambda progress: None) -> None:
        self.report, self.phase, self.began = report, "build", time.monotonic()
        self.started, self.spoke = now(), 0.0

    def enter(self, phase: str) -> None:
        """Begins a phase."""
        self.phase = phase
        self.report(Progress(phase, 0.0))

    def tell(
        self,
        share: float,
        step: int = 0,
        score: Callable[[], tuple[str, float] | None] = no_score,
    ) -> None:
        """Reports progress, once a second at most; the score is asked for only then."""
        now = time.monotonic()
        if now - self.spoke >= SILENCE:
            self.spoke = now
            self.report(Progress(self.phase, share, step, score()))


Result = Record | Trial | TuningResult


@dataclass
class Outcome:
    """What a job gives back; a value, like the job.

    Arguments:
        results: A record per cell, the trial of an experiment, or a rung of tuning.
        artifacts: By cell and kind, the bytes and the file's suffix.
        oom: Seeds that ran out of memory; half as many at once may not.
        stopped: It stopped because it was asked to; its checkpoint is written.
        died: Its worker died, so that its results are failures that another attempt may change.
        full: Why a file could not be written; the run cannot go on.
    """

    results: list[Result] = field(default_factory=list)
    artifacts: dict[str, dict[str, tuple[bytes, str]]] = field(default_factory=dict)
    oom: set[int] = field(default_factory=set)
    stopped: bool = False
    died: bool = False
    full: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job(ABC):
    """What is done for a few seeds in one go, on one machine.

    Jobs are small values: a worker gets a copy, and gives back an `Outcome`.

    Arguments:
        settings: What the run decides for all of its jobs.
        memory: Estimated bytes that it takes, where known.
        deaths: How many workers died over it.
    """

    settings: RunSettings
    memory: int | None = None
    deaths: int = 0

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, for people."""

    @property
    @abstractmethod
    def seeds(self) -> list[int]:
        """The seeds, in order."""

    @abstractmethod
    def with_seeds(self, seeds: Collection[int]) -> Job:
        """Returns the same for some of its seeds, as it was before it started."""

    @abstractmethod
    def failures(self, error: BaseException, stage: Stage) -> list[Result]:
        """Returns the results of a job that an exception ended: that, and why, for all of its seeds."""

    def died(self, how: str, stage: Stage) -> Outcome:
        """Returns the outcome of a job whose worker died; the driver gives it out again."""
        error = WorkerDied(f"its worker process died {self.deaths + 1} times ({how})")
        return Outcome(self.failures(error, stage), died=True)


@dataclass(frozen=True)
class Stored:
    """A finished cell to be measured again, as it travels to where that is done."""

    record: Record
    weights: bytes
    samples: bytes


@dataclass(frozen=True, kw_only=True)
class StackJob(Job):
    """Cells of one group (they differ in the seed alone), to be trained in one stack.

    Arguments:
        specs: The cells.
        rescore: They are finished but lack measurements: they are measured, not trained.
        stored: What is stored of cells to be measured again; the driver fills it in.
        points: The hashes of the data set's splits when the run was planned, where they were read.
    """

    specs: tuple[CellSpec, ...]
    rescore: bool = False
    stored: tuple[Stored, ...] = ()
    points: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The model and the data set."""
        return f"{self.specs[0].model} on {self.specs[0].dataset}"

    @property
    def seeds(self) -> list[int]:
        """The seeds of the stack, in order."""
        return [spec.seed for spec in self.specs]

    def with_seeds(self, seeds: Collection[int]) -> StackJob:
        """Returns the cells of some seeds."""
        return replace(self, specs=tuple(s for s in self.specs if s.seed in seeds), stored=())

    def failures(self, error: BaseException, stage: Stage) -> list[Result]:
        """Returns a record per cell that says what went wrong."""
        return [failed(spec, error, stage) for spec in self.specs]


@dataclass(frozen=True, kw_only=True)
class TrialJob(Job):
    """The experiment of a claim, to be made for seeds.

    Arguments:
        claim: The claim's name.
        version: The claim's version.
        options: All options of the experiment.
        trial_seeds: The seeds.
        redone: Those of them that the results folder had already when the run was planned.
    """

    claim: str
    version: int
    options: Mapping[str, Any]
    trial_seeds: tuple[int, ...]
    redone: frozenset[int] = frozenset()

    @property
    def title(self) -> str:
        """The claim's id."""
        return f"experiment of {claim_id(self.claim)}"

    @property
    def seeds(self) -> list[int]:
        """The seeds, in order."""
        return list(self.trial_seeds)

    def with_seeds(self, seeds: Collection[int]) -> TrialJob:
        """Returns the experiment for some seeds."""
        return replace(self, trial_seeds=tuple(s for s in self.trial_seeds if s in seeds))

    def failures(self, error: BaseException, stage: Stage) -> list[Result]:
        """Returns a trial without values, and why."""
        reason = f"{type(error).__name__}: {text_of(error)}"
        if isinstance(error, OutOfTime):
            reason = classify(error)[1]
        return [
            self.trial(
                stage,
                failures=dict.fromkeys(self.trial_seeds, reason),
            )
        ]

    def trial(self, stage: Stage, **about: Any) -> Trial:
        """Returns what the experiment gave, with what it was made of and where."""
        source = hash_plugin(CLAIMS.get(self.claim).function) if self.claim in CLAIMS else None
        own = {} if source is None else {"source": source}
        return Trial(
            claim=self.claim,
            version=self.version,
            options=dict(self.options),
            seconds=time.monotonic() - stage.began,
            environment=environment(choose_device(self.settings.device)) | own,
            started=stage.started,
            finished=now(),
            **about,
        )


def failed(spec: CellSpec, error: BaseException, stage: Stage) -> Record:
    """Returns the record of a cell that an exception ended."""
    status, reason = classify(error)
    return Record(
        cell=spec.cell,
        group=spec.group,
        status=status,
        phase=stage.phase,
        reason=reason,
        failed_after_s=round(time.monotonic() - stage.began, 3),
        spec=spec,
        **place_to_record(spec.model),
        started=stage.started,
        finished=now(),
    )


class WorkerDied(GenbenchError):
    """The process that did a job ended without a word."""


def classify(error: BaseException) -> tuple[Status, str]:
    """Returns the status and the one-sentence reason of an exception."""
    if isinstance(error, OutOfTime):
        return "timeout", f"{error}; give more by --timeout and --retry-failed"
    memory = ran_out(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = (text_of(error).strip() or "no message").split("\n")[0][:400]
    reason = text if isinstance(error, GenbenchError) else f"{type(error).__name__}: {text}{where}"
    return ("oom" if memory else "error"), reason
