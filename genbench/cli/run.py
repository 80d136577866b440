"""genbench run: train and score a suite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common, run_claims
from genbench.cli.execution import STOPPED, curves_log, entry, execute

if TYPE_CHECKING:
    from genbench.core.spec import Suite
    from genbench.running.plan import Plan


@click.command("run")
@click.argument("suite_name", metavar="[SUITE]", required=False)
@common.config
@click.option("-m", "--model", "models", multiple=True, help="Only this model; may be repeated.")
@click.option(
    "-d", "--dataset", "datasets", multiple=True, help="Only this data set; may be repeated."
)
@click.option("--seeds", type=click.IntRange(1, 10_000), help="How many seeds, from 0 on.")
@click.option("--steps", type=click.IntRange(1), help="Train every cell for so many rounds.")
@click.option(
    "--labelled",
    type=click.IntRange(1),
    help="Show every seed only so many training labels, balanced and its own.",
)
@click.option(
    "--claim", "claims", multiple=True, help="Only this claim (of `run claims`); may be repeated."
)
@run_claims.budget_scale
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--bf16", is_flag=True, help="Train in bfloat16 autocast (CUDA only).")
@click.option(
    "--executor",
    type=click.Choice(["inline", "processes", "ray"]),
    default="inline",
    show_default=True,
    help="Where cells run.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Jobs side by side, by processes or ray.",
)
@click.option(
    "--ray-address", help="A running Ray cluster; without it Ray starts on this machine."
)
@common.data_options
@common.plugins
@common.results
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Seconds.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds that a cell, with the seeds in its stack, may take.",
)
@click.option(
    "--only-missing",
    "redo",
    flag_value="missing",
    default="missing",
    help="Do cells without a record (the default).",
)
@click.option("--retry-failed", "redo", flag_value="failed", help="Do failed cells again too.")
@click.option("--force", "redo", flag_value="all", help="Do all cells again.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--tensorboard",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the cells' learning curves to this folder, for TensorBoard.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print failures alone.")
@click.option("-v", "--verbose", is_flag=True, help="Print every phase of every job.")
@common.as_json
def command(suite_name: str | None, **given: Any) -> None:
    """Train and score a suite; cells that are already recorded are not done again.

    Without SUITE, --model and --dataset together make a comparison of their own; otherwise the
    suite `demo` is meant; `claims` stands for all that the claims need. A run that was killed goes on
    from its last checkpoint when repeated; Ctrl-C writes the checkpoints first, a second one stops at
    once. Several runs may share a results folder.

    \b
    genbench run demo
    genbench run -m vae -m gan -d digits --seeds 8 --steps 3000
    genbench run claims --claim mode-collapse --budget-scale quick
    """
    suite = None if refuse(suite_name, given) else choose_suite(suite_name, given)
    given["log"] = curves_log(given)
    common.load_plugins(given["plugins"])
    from rich.console import Console

    from genbench.store import Store

    store, console = Store(given["root"]), Console(stderr=given["as_json"])

    def tell(text: str) -> None:
        if not given["quiet"]:
            console.print(text, highlight=False)

    if suite is None:
        code = pass_over_claims(store, console, tell, given)
        if not (given["as_json"] or given["dry_run"] or code == 130):
            tell(f"verdicts: {run_claims.verdicts(given)}")
    else:
        made = planned(suite, store, given)
        tell(summary(made))
        rows = [] if given["dry_run"] else execute(made, store, console, given)
        if given["as_json"]:
            common.print_json(listed(made, store, rows))
        elif rows:
            tell(f"records: {given['root']}/   next: genbench report -o {given['root']}")
        code = ending(made, rows)
    if code:
        raise SystemExit(code)


def refuse(suite_name: str | None, given: dict[str, Any]) -> bool:
    """Returns whether claims are meant; refuses what goes with claims alone, or not with them."""
    from genbench.core.errors import SpecError

    if given["quiet"] and given["verbose"]:
        raise SpecError("run needs --quiet or --verbose, got both; leave one out")
    if suite_name == run_claims.NAME:
        check_names(given)
        run_claims.refuse(given)
        return True
    if given["claims"] or given["budget_scale"] != "default":
        raise SpecError(
            f"--claim and --budget-scale need the suite claims, got {suite_name or 'demo'!r}; "
            "say: genbench run claims"
        )
    return False


def pass_over_claims(
    store: Any, console: Any, tell: Callable[[str], None], given: dict[str, Any]
) -> int:
    """Runs what claims need; returns the exit code."""
    done = run_claims.Pass(
        given,
        planned=lambda suite: planned(suite, store, given | {"models": (), "datasets": ()}),
        execute=lambda made: execute(made, store, console, given),
        tell=tell,
    )
    try:
        done.go(summary)
    except KeyboardInterrupt:
        click.echo(STOPPED, err=True)
        return 130
    return run_claims.finish(done, store, ending, listed)


def planned(suite: Suite, store: Any, given: dict[str, Any]) -> Plan:
    """Returns the plan of a suite under the command line's options."""
    from genbench.core.errors import SpecError
    from genbench.running.environment import choose_device
    from genbench.running.plan import plan, setting_of

    device = choose_device(given["device"])
    if given["bf16"] and device.type != "cuda":
        raise SpecError(f"--bf16 needs a CUDA GPU, got device {device}; leave it out")
    setting = setting_of(
        suite,
        given["root"],
        device=given["device"],
        data_dir=given["data_dir"],
        offline=given["offline"],
        checkpoint_every=given["checkpoint_every"],
        plugins=given["plugins"],
        workers=1 if given["executor"] == "inline" else given["jobs"],
        timeout=given["timeout"],
        scale=None if given["budget_scale"] == "default" else given["budget_scale"],
    )
    return plan(
        suite,
        store,
        setting,
        models=given["models"],
        datasets=given["datasets"],
        redo=given["redo"],
        autocast=given["bf16"],
    )


def ending(made: Plan, rows: list[dict[str, Any]]) -> int:
    """Says on stderr why a run did not do everything; returns its exit code."""
    from genbench.store import FAILURES

    if made.busy:
        click.echo(f"{len(made.busy)} cells are in the hands of another run", err=True)
    if made.stopped == "asked to stop":
        click.echo(STOPPED, err=True)
        return 130
    if made.stopped is not None:
        click.echo(
            f"genbench: stopped: {made.stopped}; finished cells are kept, make room and repeat the "
            "command to go on",
            err=True,
        )
        return 3
    return 3 if made.failed or any(row["status"] in FAILURES for row in rows) else 0


def choose_suite(name: str | None, given: dict[str, Any]) -> Suite:
    """Returns the suite that the arguments mean, changed as they say."""
    from genbench.core.errors import unknown
    from genbench.core.spec import Budget, Cells, Part

    known = common.suites(given["config"])
    chosen = name or "demo"
    if chosen not in known:
        raise unknown("suite", chosen, known)
    suite, change = known[chosen], {}
    check_names(given)
    if name is None and given["models"] and given["datasets"]:
        parts = [[Part(name=n) for n in given[key]] for key in ("models", "datasets")]
        change["cells"] = [Cells(models=parts[0], datasets=parts[1])]
    if given["seeds"]:
        change["seeds"] = given["seeds"]
    if given["steps"]:
        budget = Budget(steps=given["steps"])
        change["budget"] = budget
        cells = change.get("cells", suite.cells)
        change["cells"] = [each.model_copy(update={"budget": budget}) for each in cells]
    if given["labelled"]:
        cells = change.get("cells", suite.cells)
        shown = {"labelled": given["labelled"]}
        change["cells"] = [each.model_copy(update=shown) for each in cells]
    return suite.model_copy(update=change)


def check_names(given: dict[str, Any]) -> None:
    """Refuses unknown names early where no plugin could bring them, before torch is imported."""
    if given["plugins"]:
        return
    from genbench.core.names import check

    for name in given["models"]:
        check("model", name)
    for name in given["datasets"]:
        check("dataset", name)


def summary(made: Plan) -> str:
    """Returns one sentence about what there is to do."""
    train = sum(len(job.specs) for job in made.jobs if not job.rescore)
    score = made.pending - train
    parts = [f"{len(made.cells)} cells", f"{len(made.done)} done", f"{train} to train"]
    if score:
        parts.append(f"{score} to measure again")
    if made.failed:
        parts.append(f"{len(made.failed)} failed before (again with --retry-failed)")
    if made.skipped:
        parts.append(f"{len(made.skipped)} that cannot be")
    told = ", ".join(parts) + ("; nothing to do" if not made.jobs else "")
    aside = (f"damaged, done anew and the file set aside: {text}" for text in made.damaged)
    return "\n".join([told, *aside])


def listed(made: Plan, store: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the rows of all cells of a plan, new and old, in the order of the suite."""
    known = {row["cell"]: row for row in rows}
    for spec in made.cells:
        if spec.cell not in known and (record := store.read(spec)) is not None:
            known[spec.cell] = entry(record, store)
    return [known[spec.cell] for spec in made.cells if spec.cell in known]
