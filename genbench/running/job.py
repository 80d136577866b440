"""Jobs: stacks of cells to be trained together, and how they end."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import torch

from genbench.core.errors import GenbenchError
from genbench.core.spec import CellSpec, Part
from genbench.running.interrupts import OutOfTime
from genbench.store import Record, Status

#: seconds between two reports of a job's progress
SILENCE = 1.0
#: what torch says, in a RuntimeError, when the machine's own memory is used up
NO_MEMORY = ("not enough memory", "can't allocate memory")


@dataclass(frozen=True)
class Setting:
    """What a run decides for all of its jobs: where, from which files, and how it is measured."""

    device: str = "auto"
    data_dir: Path | None = None
    offline: bool = False
    metrics: tuple[Part, ...] = ()
    curve_metrics: tuple[Part, ...] = ()
    samples: int = 10_000
    features: str | None = None
    curve: int = 20
    curve_samples: int = 1000
    checkpoints: Path | None = None
    checkpoint_every: float = 30.0
    plugins: tuple[str, ...] = ()
    workers: int = 1
    #: the claims' budget scale that cells are trained for, where it is not their own budget
    scale: str | None = None
    #: seconds of wall clock that a stack may take; None: as long as it needs
    timeout: float | None = None


@dataclass(frozen=True)
class Stored:
    """A finished cell to be measured again, as it travels to where that is done."""

    record: Record
    weights: bytes
    samples: bytes


@dataclass(frozen=True)
class Job:
    """Cells of one group (they differ in the seed alone), to be trained in one stack."""

    specs: tuple[CellSpec, ...]
    setting: Setting
    #: the cells are finished but lack measurements: they are measured, not trained
    rescore: bool = False
    #: what was stored of cells to be measured again; the driver fills it in when the job starts
    stored: tuple[Stored, ...] = ()
    #: estimated bytes of the whole stack in training, where known
    memory: int | None = None
    #: how many workers died over this job
    deaths: int = 0

    @property
    def title(self) -> str:
        """The model and the data set, for people."""
        return f"{self.specs[0].model} on {self.specs[0].dataset}"

    @property
    def seeds(self) -> list[int]:
        """The seeds of the stack, in order."""
        return [spec.seed for spec in self.specs]


@dataclass(frozen=True)
class Progress:
    """How far a job is: its phase, the share of the phase, the rounds made, and its last score."""

    phase: str
    share: float
    step: int = 0
    #: the column or player, and the mean over seeds
    score: tuple[str, float] | None = None


Report = Callable[[Progress], None]


def none() -> None:
    """Returns no score."""


@dataclass
class Outcome:
    """What a job gives back.

    Arguments:
        records: One a cell.
        artifacts: By cell and kind, the bytes and the file's suffix.
        stopped: It stopped because it was asked to; its checkpoint is written.
        died: Its worker died, so that its records are failures that another attempt may change.
        full: Why a file could not be written; the run cannot go on.
    """

    records: list[Record]
    artifacts: dict[str, dict[str, tuple[bytes, str]]] = field(default_factory=dict)
    stopped: bool = False
    died: bool = False
    full: str | None = None


class Stage:
    """The phase a job is in, so that a failure can say where it happened and when."""

    def __init__(self, report: Report) -> None:
        self.report, self.phase, self.began = report, "build", time.monotonic()
        self.started, self.spoke = now(), 0.0

    def enter(self, phase: str) -> None:
        """Begins a phase."""
        self.phase = phase
        self.report(Progress(phase, 0.0))

    def tell(
        self, share: float, step: int = 0, score: Callable[[], tuple[str, float] | None] = none
    ) -> None:
        """Reports progress, once a second at most; the score is asked for only then."""
        now = time.monotonic()
        if now - self.spoke >= SILENCE:
            self.spoke = now
            self.report(Progress(self.phase, share, step, score()))


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
        started=stage.started,
        finished=now(),
    )


class WorkerDied(GenbenchError):
    """The process that did a job ended without a word."""


def classify(error: BaseException) -> tuple[Status, str]:
    """Returns the status and the one-sentence reason of an exception."""
    if isinstance(error, OutOfTime):
        return "timeout", f"{error}; give more by --timeout and --retry-failed"
    memory = isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in NO_MEMORY)
    )
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = (str(error).strip() or "no message").split("\n")[0][:400]
    reason = text if isinstance(error, GenbenchError) else f"{type(error).__name__}: {text}{where}"
    return ("oom" if memory else "error"), reason


def now() -> str:
    """Returns the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
