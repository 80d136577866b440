"""genbench run: train and score a suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genbench.cli import common

if TYPE_CHECKING:
    from genbench.core.spec import Suite
    from genbench.harness.run import Plan
    from genbench.store import Record


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
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--bf16", is_flag=True, help="Train in bfloat16 autocast (CUDA only).")
@click.option(
    "--executor",
    type=click.Choice(["inline", "processes"]),
    default="inline",
    show_default=True,
    help="Where cells run.",
)
@click.option(
    "-j", "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Worker processes."
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
@click.option("--force", is_flag=True, help="Do finished cells again.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Print failures alone.")
@common.as_json
def command(suite_name: str | None, **given: Any) -> None:
    r"""Train and score a suite; cells that are already recorded are not done again.

    Without SUITE, --model and --dataset together make a comparison of their own; otherwise the
    suite `demo` is meant. A run that was killed goes on from its last checkpoint when repeated.

    \b
    genbench run demo
    genbench run -m vae -m gan -d digits --seeds 8 --steps 3000
    """
    suite = choose_suite(suite_name, given)
    common.load_plugins(given["plugins"])
    from rich.console import Console

    from genbench.core.errors import SpecError
    from genbench.harness.environment import choose_device
    from genbench.harness.run import plan, setting_of
    from genbench.store import Store

    device = choose_device(given["device"])
    if given["bf16"] and device.type != "cuda":
        raise SpecError(f"--bf16 needs a CUDA GPU, got device {device}; leave it out")
    root: Path = given["root"]
    store = Store(root)
    setting = setting_of(
        suite,
        root,
        device=given["device"],
        data_dir=given["data_dir"],
        offline=given["offline"],
        checkpoint_every=given["checkpoint_every"],
        plugins=given["plugins"],
        workers=given["jobs"] if given["executor"] == "processes" else 1,
    )
    made = plan(
        suite,
        store,
        setting,
        models=given["models"],
        datasets=given["datasets"],
        force=given["force"],
        autocast=given["bf16"],
    )
    console = Console(stderr=given["as_json"])
    if not given["quiet"]:
        console.print(summary(made), highlight=False)
    records = [] if given["dry_run"] else execute(made, store, console, given)
    if given["as_json"]:
        common.print_json([entry(record, store) for record in listed(made, store, records)])
    elif records and not given["quiet"]:
        console.print(f"records: {root}/   next: genbench report -o {root}", highlight=False)
    if any(record.status in ("error", "oom", "timeout") for record in records):
        raise SystemExit(3)


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
    train = sum(len(job.specs) for job in made.jobs if job.rescore is None)
    score = made.pending - train
    parts = [f"{len(made.cells)} cells", f"{len(made.done)} done", f"{train} to train"]
    if score:
        parts.append(f"{score} to measure again")
    if made.skipped:
        parts.append(f"{len(made.skipped)} that cannot be")
    return ", ".join(parts) + ("; nothing to do" if not made.jobs else "")


def execute(made: Plan, store: Any, console: Any, given: dict[str, Any]) -> list[Record]:
    """Runs a plan with progress on the console; Ctrl-C keeps all that is finished."""
    from genbench.cli.progress import Display
    from genbench.executors.inline import Inline
    from genbench.executors.processes import Processes
    from genbench.harness.run import run

    executor = Processes(given["jobs"]) if given["executor"] == "processes" else Inline()
    try:
        with Display(console, made.jobs, quiet=given["quiet"]) as display:
            return run(made, store, executor, display.watch, display.finished)
    except KeyboardInterrupt:
        click.echo(
            "stopped; finished cells are kept, the same command goes on from here", err=True
        )
        raise SystemExit(130) from None


def listed(made: Plan, store: Any, records: list[Record]) -> list[Record]:
    """Returns the records of all cells of a plan, new and old."""
    fresh = {record.cell: record for record in records}
    found = [fresh.get(spec.cell) or store.read(spec) for spec in made.cells]
    return [record for record in found if record is not None]


def entry(record: Record, store: Any) -> dict[str, Any]:
    """Returns the documented JSON object of a cell."""
    return {
        "cell": record.cell,
        "model": record.spec.model,
        "dataset": record.spec.dataset,
        "seed": record.spec.seed,
        "status": record.status,
        "reason": record.reason,
        "seconds": record.used.seconds,
        "record": str(store.path(record.spec)),
    }
