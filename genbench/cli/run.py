"""genbench run: train and score a suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from genbench.cli import carried, common
from genbench.core.errors import SpecError
from genbench.core.names import check
from genbench.core.registry import list_plugin_words
from genbench.core.spec import parse_part
from genbench.running.unused import refuse_unused
from genbench.store.suites import CLAIMS, find_suite

#: what is run again, by the flag that says so
REDO = {"only_missing": "missing", "retry_failed": "failed", "force": "all"}


@click.command("run")
@click.argument(
    "suite_name", metavar="[SUITE]", required=False, shell_complete=common.complete("suite")
)
@common.config
@common.models
@common.datasets
@click.option("--seeds", type=click.IntRange(1, 10_000), help="How many seeds, from 0 on.")
@click.option("--steps", type=click.IntRange(1), help="Train every cell for this many rounds.")
@click.option(
    "--labelled",
    type=click.IntRange(1),
    help="Show every seed this many training labels only, balanced over the classes.",
)
@click.option(
    "--tuned-by",
    type=click.Choice(["samples", "density"]),
    help="Take the options that tuning chose so on the data set, from baselines/tuned.yaml; without it, "
    "models have those of their files, or what the suite says.",
)
@click.option(
    "--metrics",
    help="Measure these in place of the suite's, as in evaluate: fid,prdc:neighbours=3.",
)
@click.option(
    "--claim",
    "claims",
    multiple=True,
    shell_complete=common.complete("claim"),
    help="Only this claim (of `run claims`); may be repeated.",
)
@common.budget_scale
@click.option(
    "--until-decided",
    is_flag=True,
    help="Of `run claims`: add seeds at declared looks until every part is decided.",
)
@click.option(
    "--max-seeds",
    type=click.IntRange(1, 64),
    help="How many seeds --until-decided adds at most; 64 if not given.",
)
@common.device
@click.option("--bf16", is_flag=True, help="Train in bfloat16 autocast (CUDA only).")
@click.option(
    "--compile",
    type=click.Choice(["none", "graphs", "inductor"]),
    default="none",
    show_default=True,
    help="graphs: replay training rounds as CUDA graphs where they are the same kernels each time (CUDA "
    "only). inductor: compile losses with their gradients, seconds a model (CPU; needs a C++ compiler).",
)
@common.executor
@common.jobs
@click.option(
    "--ray-address",
    metavar="ADDRESS",
    help="A running Ray cluster, as --executor ray:address=ADDRESS; else Ray starts on this machine.",
)
@common.data_options
@common.plugins
@common.results
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds between checkpoints.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds that a cell, with the seeds in its stack, or an experiment may take.",
)
@click.option("--only-missing", is_flag=True, help="Run cells without a record (the default).")
@click.option("--retry-failed", is_flag=True, help="Run failed cells again too.")
@click.option("--force", is_flag=True, help="Run all cells again.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be done and how long it takes; do nothing."
)
@click.option(
    "--tensorboard",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the cells' learning curves to this folder, for TensorBoard.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print failures only.")
@click.option("-v", "--verbose", is_flag=True, help="Print every phase of every job.")
@common.as_json
def command(
    suite_name: str | None,
    config: Path | None,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    seeds: int | None,
    steps: int | None,
    labelled: int | None,
    tuned_by: str | None,
    metrics: str | None,
    claims: tuple[str, ...],
    budget_scale: str,
    until_decided: bool,
    max_seeds: int | None,
    ray_address: str | None,
    dry_run: bool,
    tensorboard: Path | None,
    quiet: bool,
    verbose: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Train and score a suite; cells that are already recorded are not run again.

    Without SUITE, --model and --dataset together make a comparison of their own; --model alone is
    trained on the data sets of the suite `demo`, and on --dataset alone the models of `demo` are;
    without either, `demo` is run. Options follow a name, as in `gan:lr=0.003`. Such a comparison is
    measured as `demo` is, by what decides on its data sets and, where images are made from something,
    by psnr and ssim. `claims` stands for all that the claims need. A run that was killed goes on from
    its last checkpoint when repeated; Ctrl-C writes the checkpoints first, a second one stops at once.
    Several runs may share a results folder.

    \b
    genbench run demo
    genbench run toys --executor processes --jobs 2 --dry-run
    genbench run -m vae -m gan:lr=0.003 -d digits --seeds 8 --steps 3000
    genbench run -m vae -m gan -d digits --seeds 8 --steps 3000 --tuned-by samples
    genbench run -m srresnet -m bicubic -d super_resolution --metrics psnr,ssim,consistency
    genbench run claims --claim mode-collapse --budget-scale quick
    genbench run claims --claim mode-collapse --until-decided --max-seeds 32
    """
    how["executor"] += f":address={ray_address}" if ray_address is not None else ""
    if quiet and verbose:
        raise SpecError("run needs --quiet or --verbose, got both; leave one out")
    how["redo"] = choose_redo(**{name: how.pop(name) for name in REDO})
    executor = parse_part(how["executor"]).name
    named = {"model": models, "dataset": datasets, "claim": claims, "executor": (executor,)}
    request = {"models": models, "datasets": datasets, "claims": claims, "config": config}
    request["tuned_by"] = tuned_by
    request |= {"steps": steps, "labelled": labelled, "metrics": metrics}
    request |= {"until_decided": until_decided, "max_seeds": max_seeds}
    # as api.run does, but before torch is imported
    refuse_unused(suite_name, budget_scale, **request)
    if suite_name != CLAIMS:
        find_suite(suite_name or "demo", config)
    check_names({} if how["plugins"] else named)
    common.load_plugins(how["plugins"], how["timeout"])
    from genbench import api
    from genbench.cli import run_text
    from genbench.cli.execution import exit_code, make_listener, stopped_by_ctrl_c
    from genbench.running.scale import Scale

    results, curves = how.pop("root"), None if dry_run else tensorboard
    listener = make_listener(results, as_json, quiet=quiet, verbose=verbose, curves=curves)
    how |= {"seeds": seeds, "budget_scale": budget_scale} | request
    with stopped_by_ctrl_c(), carried.carry_in_errors():
        run_text.tell_exploratory(suite_name, claims, listener)
        result = api.run(suite_name, results=results, dry_run=dry_run, listener=listener, **how)
    run_text.tell_untuned(result, tuned_by)
    if as_json:
        common.print_json(result.rows)
    elif dry_run:
        jobs = 1 if executor == "inline" else how["jobs"]
        for line in run_text.list_expected(result, jobs):
            listener.print(line)
    elif suite_name == CLAIMS:
        words = [*claims, *Scale(budget_scale, seeds).words, *list_plugin_words()]
        listener.print(run_text.next_command(words, results))
    elif not quiet and result.stopped is None:
        run_text.print_best(listener.console, result)
        listener.print(run_text.next_command(None, results))
    run_text.refuse_impossible(result)
    raise SystemExit(exit_code(result, unwritten=listener.unwritten))


def choose_redo(**flags: bool) -> str:
    """Returns what is run again, by the one flag that was given or none.

    Raises:
        SpecError: If several were given, of which the last would hold.
    """
    names = [name for name, on in flags.items() if on]
    if len(names) > 1:
        listed = " and ".join(f"--{name.replace('_', '-')}" for name in names)
        raise SpecError(f"run needs one of these options, got {listed}; leave out all but one")
    return REDO[names[0]] if names else "missing"


def check_names(named: dict[str, tuple[str, ...]]) -> None:
    """Refuses unknown names early where no plugin could bring them, before torch is imported."""
    for kind, names in named.items():
        for name in names:
            name = parse_part(name).name  # options are no part of it
            check(kind, name.replace("-", "_") if kind == "claim" else name)
