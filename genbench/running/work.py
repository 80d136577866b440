"""The worker's side: does one job, of whatever kind, and turns whatever happens into an outcome."""

from __future__ import annotations

import torch

from genbench.core.claim import CLAIMS
from genbench.core.device import choose_device
from genbench.core.errors import WriteError
from genbench.core.guard import ChangedInput
from genbench.core.registry import load_plugin
from genbench.core.rng import Rng
from genbench.running.build import forget_evaluators
from genbench.running.interrupts import Stopped, deadline, is_of_user, stopped_at_once
from genbench.running.job import Job, Outcome, Report, StackJob, Stage, TrialJob, classify
from genbench.running.stack import rescore_stack, run_stack
from genbench.running.tuning_job import TuneJob, run_tune_job
from genbench.store.trial import pack_columns


def run_job(job: Job, report: Report = lambda progress: None) -> Outcome:
    """Does a job; what a model, a metric, an experiment or the machine does becomes a result."""
    stage, outcome = Stage(report), Outcome()
    try:
        with deadline(job.settings.timeout):
            for plugin in job.settings.plugins:
                load_plugin(plugin)
            _perform(job, stage, outcome)
        return outcome
    except Stopped:
        return Outcome(stopped=True)
    except WriteError as full:
        return Outcome(full=str(full))
    except BaseException as error:  # a user's code may raise anything, and end the program
        if is_of_user(error):
            raise
        return _fail(job, error, stage, outcome)


def _fail(job: Job, error: BaseException, stage: Stage, outcome: Outcome) -> Outcome:
    """Adds to an outcome the failures of the seeds that an exception left without a result."""
    finished = {seed for result in outcome.results for seed in result.seeds}
    rest = job.with_seeds([seed for seed in job.seeds if seed not in finished])
    outcome.results += rest.failures(error, stage) if rest.seeds else []
    if classify(error)[0] == "oom":
        outcome.oom |= set(rest.seeds)
    if isinstance(error, ChangedInput):
        forget_evaluators()
    error.__traceback__ = None  # its frames hold the tensors of the stack
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return outcome


def _perform(job: Job, stage: Stage, outcome: Outcome) -> None:
    if isinstance(job, TrialJob):
        run_experiment(job, stage, outcome)
    elif isinstance(job, StackJob):
        (rescore_stack if job.rescore else run_stack)(job, stage, outcome)
    elif isinstance(job, TuneJob):
        run_tune_job(job, stage, outcome)
    else:
        raise TypeError(f"a job is a stack, a trial or a rung of tuning, got {type(job).__name__}")


def run_experiment(job: TrialJob, stage: Stage, outcome: Outcome) -> None:
    """Makes a claim's experiment for the seeds of a job, and puts its trial into an outcome."""
    stage.enter("experiment")
    claim, device = CLAIMS.get(job.claim), choose_device(job.settings.device)
    rng = Rng(job.seeds, device=device).fork("claim", claim.name)
    with stopped_at_once():  # an experiment keeps no checkpoint that it could write first
        columns = claim.measure(rng, **job.options)
    outcome.results.append(job.trial(stage, **pack_columns(columns)))
