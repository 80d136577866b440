"""What every claim must keep."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from genbench.contracts.rules import Case, expect, rule
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.effect import Effect
from genbench.core.entrants import kind_of, list_models
from genbench.core.figure import Figure
from genbench.core.metric import METRICS
from genbench.core.model import MODELS
from genbench.running.claim_cells import specs_of
from genbench.running.dependencies import list_judged_columns
from genbench.running.evidence import ClaimEvidence
from genbench.running.planted import RANGES, PlantedEvidence
from genbench.running.scale import QUICK_SEEDS, SCALES, Scale
from genbench.statistics.verdicts import judge
from genbench.store import Store

#: fewer seeds leave most claims undecided
SEEDS = 8
NEEDED = ("statement", "source", "why", "literature", "threats")


@rule("claim")
def it_says_what_a_reader_needs(name: str) -> None:
    """It has a statement (a sentence), source, why, literature and threats, and eight seeds or more."""
    claim = CLAIMS.get(name)
    expect(
        claim.id == name.replace("_", "-"), f"its id needs to follow {name!r}, got {claim.id!r}"
    )
    for field in NEEDED:
        expect(getattr(claim, field), f"{field}= needs a text, got none; a reader will ask for it")
    expect(claim.statement.endswith("."), f"the statement needs a full stop: {claim.statement!r}")
    expect(claim.runs or claim.experiment, "it needs runs= or an experiment=, got neither")
    for what, seeds in (("it", claim.seeds), *((str(run), run.seeds) for run in claim.all_runs)):
        expect(seeds >= SEEDS, f"{what} needs {SEEDS} seeds or more, got {seeds}")


@rule("claim")
def its_models_are_entrants(name: str) -> None:
    """Its runs' models are in the list of entrants for their data, or it says why it needs another."""
    claim = CLAIMS.get(name)
    listed = {}
    for run in claim.all_runs:
        kind = kind_of(DATASETS.get(run.dataset)(**run.dataset_options).spec)
        listed[run.model] = run.model in list_models(kind)
        expect(
            listed[run.model] or claim.outsiders.get(run.model),
            f"{run.model} is not among the entrants for {kind} data; give the reason in the claim as "
            f'outsiders={{"{run.model}": "REASON"}}, or list it in genbench/entrants.json',
        )
    needless = [model for model in claim.outsiders if listed.get(model, True)]
    expect(not needless, f"outsiders= names {', '.join(needless)}, listed or not in any run")


@rule("claim")
def its_runs_can_be_made(name: str) -> None:
    """Its runs name models and data sets that go together."""
    for run in CLAIMS.get(name).all_runs:
        spec = DATASETS.get(run.dataset)(**run.dataset_options).spec
        reason = MODELS.get(run.model).refuses(spec)
        expect(reason is None, f"{run} cannot be run: {reason}")
        expect(
            run.labelled is None or spec.classes is not None,
            f"{run} needs labels for labelled={run.labelled}, {run.dataset} has none",
        )
        cells = specs_of(run)
        expect(len(cells) == run.seeds, f"{run} needs {run.seeds} cells, got {len(cells)}")
        expect(cells[0].budget.steps == run.steps, f"{run} needs {run.steps} steps")


@rule("claim")
def it_reads_what_it_declares(name: str) -> None:
    """Its effects read every run that it declares, and its experiment, and nothing else."""
    claim, probe = CLAIMS.get(name), PlantedEvidence(span=RANGES[1])
    expect_effects(claim.function(probe), "it")
    expect_read(name, probe)
    expect(
        bool(probe.columns) == (claim.experiment is not None),
        "evidence.measured() and experiment= need each other; declare or read the experiment",
    )
    unread = [str(run) for run in claim.all_runs if run not in [run for run, _ in probe.scored]]
    expect(
        not unread,
        f"{', '.join(unread)} is declared and not read; leave it out of runs= or beside=",
    )
    judged = [str(run) for run, _ in list_judged_columns(claim) if run in claim.beside]
    expect(
        not judged,
        f"{', '.join(judged)} is read by a judged effect; declare it in runs=, not beside=",
    )


def expect_effects(effects: object, what: str) -> None:
    """Raises Broken unless these are effects of different names with finite bars, one judged."""
    right = isinstance(effects, (list, tuple)) and all(isinstance(e, Effect) for e in effects)
    expect(right, f"{what} needs to return a list of Effects, got {type(effects).__name__}")
    assert isinstance(effects, (list, tuple))
    expect(any(e.judged for e in effects), f"{what} needs an effect that is judged, got none")
    names = [effect.name for effect in effects]
    expect(len(set(names)) == len(names), f"effects need different names, got {names}")
    for effect in effects:
        finite = isinstance(effect.bar, (int, float)) and math.isfinite(effect.bar)
        expect(finite, f"{effect.name!r} needs a finite bar, got {effect.bar!r}")


def expect_read(name: str, probe: PlantedEvidence) -> None:
    """Raises Broken where evidence of other runs or columns was read than is declared."""
    for run, column in probe.scored:
        expect(
            run in CLAIMS.get(name).all_runs, f"{run} is read and not declared; add it to runs="
        )
        filled = [c for metric in run.metrics for c in METRICS.get(metric).columns]
        expect(
            column in filled,
            f"{run} has no column {column!r}, its metrics fill {', '.join(filled)}; "
            "name the metric in the run",
        )


@rule("claim")
def without_measurements_it_is_inconclusive(name: str) -> None:
    """On an empty folder it is inconclusive, and knows what is missing."""
    claim = CLAIMS.get(name)
    with tempfile.TemporaryDirectory() as folder:
        evidence = ClaimEvidence(claim, Store(Path(folder)))
        verdict = judge(evidence.effects())
        missing, failed = evidence.missing(), evidence.failed()
    expect(
        (verdict.outcome, verdict.because) == ("inconclusive", "nothing has been measured yet"),
        f"without evidence it needs to be inconclusive, got {verdict.outcome}: {verdict.because}; "
        "let effects have no values where evidence has none",
    )
    runs = {str(run) for run in claim.all_runs}
    expect(
        len(missing) >= len(runs) or claim.experiment,
        f"all of its runs are missing, got {', '.join(missing) or 'none'}; name runs apart",
    )
    expect(failed == {}, f"nothing can have failed, got {failed}")


@rule("claim")
def a_quick_pass_is_an_eighth(name: str) -> None:
    """Quick runs take an eighth of the steps, or fewer, and six seeds; quick options are the experiment's."""
    claim, scale = CLAIMS.get(name), Scale("quick")
    for run in claim.all_runs:
        quick = scale.run(run)
        eighth = max(1, round(run.steps * SCALES["quick"]))
        right = 0 < quick.steps <= eighth if run.quick_steps is not None else quick.steps == eighth
        expect(right, f"{run} needs an eighth of {run.steps} steps or fewer, got {quick.steps}")
        expect(quick.seeds == QUICK_SEEDS, f"{run} needs {QUICK_SEEDS} seeds, got {quick.seeds}")
    if claim.experiment is not None:
        strange = set(claim.quick) - set(scale.options(claim))
        expect(not strange, f"quick= names {', '.join(strange)}, which the experiment lacks")


def with_figure(name: str) -> list[Case]:
    """Returns one case for claims that draw a figure."""
    return [()] if CLAIMS.get(name).figure is not None else []


@rule("claim", with_figure)
def its_figure_can_be_drawn(name: str) -> None:
    """Its figure's series have different names, as many values as places, and declared evidence."""
    draw, probe = CLAIMS.get(name).figure, PlantedEvidence(span=RANGES[1])
    assert draw is not None
    figure = draw(probe)
    expect(isinstance(figure, Figure), f"figure= needs a Figure, got {type(figure).__name__}")
    expect_read(name, probe)
    names = [series.name for series in figure.series]
    expect(len(set(names)) == len(names), f"series need different names, got {names}")
    for series in figure.series:
        counts = len(series.x), len(series.y)
        expect(
            counts[0] == counts[1], f"{series.name!r} has {counts[0]} places, {counts[1]} values"
        )
    words = [isinstance(x, str) for series in figure.series for x in series.x]
    right = all(words) if figure.kind == "strip" else not any(words)
    expect(right, "a strip needs words as places, other figures numbers")


def with_other_metrics(name: str) -> list[Case]:
    """Returns one case for claims that are judged by other metrics too."""
    return [()] if CLAIMS.get(name).by_metric is not None else []


@rule("claim", with_other_metrics)
def other_metrics_give_effects(name: str) -> None:
    """`by_metric` returns effects by the metric's name, of declared evidence."""
    by_metric, probe = CLAIMS.get(name).by_metric, PlantedEvidence(span=RANGES[1])
    assert by_metric is not None
    for metric, effects in by_metric(probe).items():
        expect_effects(effects, metric)
    expect_read(name, probe)
