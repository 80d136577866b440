"""The driver's side of a trial of tuning: its lock, its state between rungs, its file."""

from __future__ import annotations

from collections.abc import Container, Set
from pathlib import Path

from genbench.core.files import discard, read_file, remove_leftovers, write_bytes
from genbench.running.filing import Filing
from genbench.running.job import Outcome, Result
from genbench.running.tuning_job import STATE, TuneJob
from genbench.store.tuning import TuningResult, TuningRule
from genbench.store.tunings import Tunings


class TuneFiling(Filing[TuneJob]):
    """Files trials of tuning: a lock and a file per rule, which all trials of the rule share.

    The lock is kept until the run ends. Between rungs a trial's state lies in a file of `.checkpoints`;
    where it is lost the trial is trained again from its start.
    """

    def claim(self, job: TuneJob) -> TuneJob:
        """Returns a trial with its state, or without seeds where another run has it in hand or done."""
        if not self.locks.take_name(job.rule.file):
            self.plan.busy.append(job)
            return job.with_seeds([])
        root = self.store.root
        for path in (Tunings(root).path(job.rule), state_path(root, job.rule, job.trial.k)):
            remove_leftovers(path)
        trial = Tunings(root).read(job.rule).by_number.get(job.trial.k)
        if trial is not None and trial.complete(job.rung) and not trial.failures:
            return job.with_seeds([])
        return job.with_state(self._read(job) if len(job.seeds) == len(job.trial.seeds) else None)

    def write(self, job: TuneJob, outcome: Outcome, again: Set[int]) -> list[Result]:
        """Writes a rung, and the state that the next one goes on from."""
        results = [
            r for r in outcome.results if isinstance(r, TuningResult) and not r.seeds & again
        ]
        for result in results:
            state = outcome.artifacts.get(result.trial.hash, {}).get(STATE)
            if state is not None and len(job.seeds) == len(job.trial.seeds):
                write_bytes(state_path(self.store.root, job.rule, job.trial.k), state[0])
            Tunings(self.store.root).add(result)
        return list(results)

    def release(self, job: TuneJob, over: bool) -> None:
        """Keeps the lock."""

    def _read(self, job: TuneJob) -> bytes | None:
        try:
            return read_file(state_path(self.store.root, job.rule, job.trial.k), None)
        except OSError:
            return None


def state_path(root: Path, rule: TuningRule, k: int) -> Path:
    """Returns where a trial's state lies between rungs."""
    return root / ".checkpoints" / f"tuning-{rule.digits}-{k}.safetensors"


def drop_states(root: Path, rule: TuningRule, alive: Container[int]) -> None:
    """Deletes the states of trials that do not go on."""
    for path in state_path(root, rule, 0).parent.glob(f"tuning-{rule.digits}-*.safetensors"):
        if int(path.stem.rpartition("-")[2]) not in alive:
            discard(path)
