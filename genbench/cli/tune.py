"""genbench tune: give every model the same number of trials, and keep the best options."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

import click

from genbench.cli import carried, common
from genbench.cli.run import check_names
from genbench.core.errors import SpecError
from genbench.core.spec import parse_part

#: what goes with --accept and --curves: which searches are meant, and where they lie
NAMING = {"models", "datasets", "plugins", "root", "as_json"}
USED = {
    "--accept": {"accept", "config", "sampler", "tuned", "dry_run"} | NAMING,
    "--curves": {"curves", "readme"} | NAMING,
}

PLANNED = ", or write the numbers into the plan of a suite file and name it by --config"


@click.command("tune")
@common.config
@common.models
@common.datasets
@click.option(
    "--trials",
    type=click.IntRange(1),
    help="Trials per model, its defaults among them; default: what the suite file says.",
)
@click.option("--steps", type=click.IntRange(1), help="Train every trial for this many rounds.")
@click.option(
    "--sampler",
    type=click.Choice(["random", "tpe"]),
    default="random",
    show_default=True,
    help="Where trials come from; tpe needs Optuna.",
)
@common.device
@common.executor
@common.jobs
@common.data_options
@common.plugins
@common.results
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds that a trial has for a rung.",
)
@click.option("--retry-failed", is_flag=True, help="Try failed trials again too.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what it would cost, or with --accept what it would write; do nothing.",
)
@click.option(
    "--accept",
    is_flag=True,
    help="Write the best options of finished searches to --tuned; train nothing.",
)
@click.option(
    "--curves",
    is_flag=True,
    help="Print what tuning gained and the expected best after k trials; train nothing.",
)
@click.option(
    "--tuned",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("baselines/tuned.yaml"),
    show_default=True,
    help="The file that --accept writes.",
)
@click.option(
    "--readme",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --curves: rewrite what tuning took, what it gained and families' best between the "
    "markers <!-- tuning:begin -->, <!-- gains:begin --> and <!-- entrants:begin --> and their ends in this "
    "file.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print failures only.")
@common.as_json
def command(
    config: Path | None,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    trials: int | None,
    steps: int | None,
    sampler: str,
    retry_failed: bool,
    dry_run: bool,
    accept: bool,
    curves: bool,
    tuned: Path,
    readme: Path | None,
    quiet: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Search the options of models: the same number of trials, cost and rule for each.

    How each data set is tuned stands in the suite file under `tuning`. Trials are scored on the validation
    split alone, and halved within brackets. What was done is not done again; a search that was killed goes
    on when repeated, and more --trials extend it.

    \b
    genbench tune -m gan -d ring --dry-run
    genbench tune -d digits --executor processes -j 2
    genbench tune --accept
    """
    refuse_unused(accept, curves)
    named = {"model": models}
    check_names(
        {} if how["plugins"] else {**named, "executor": (parse_part(how["executor"]).name,)}
    )
    common.load_plugins(how["plugins"])
    from genbench import api
    from genbench.cli import tuning_text
    from genbench.cli.execution import exit_code, make_listener, stopped_by_ctrl_c

    root = how.pop("root")
    if curves:
        with carried.carry_in_errors():
            tuning_text.show_curves(root, models, datasets, readme, as_json)
        return
    if accept:
        what = {"models": models, "datasets": datasets, "sampler": sampler, "write": not dry_run}
        with carried.carry_in_errors():
            code = tuning_text.accept(root, tuned, config, as_json, **what)
        raise SystemExit(code)
    about = {"models": models, "datasets": datasets, "trials": trials, "steps": steps}
    about |= {"sampler": sampler, "config": config}
    how["redo"] = "failed" if retry_failed else "missing"
    if dry_run:
        about |= {name: how[name] for name in ("redo", "data_dir")}
        tuning_text.show_costs(api.tuning_costs(results=root, **about), how["jobs"], as_json)
        return
    listener = make_listener(root, as_json, quiet=quiet)
    with stopped_by_ctrl_c():
        result = api.tune(results=root, listener=listener, **about, **how)
    if as_json:
        common.print_json(tuning_text.rows(result))
    code = exit_code(result) or tuning_text.tell_failed(result)
    if not (as_json or code):
        accepted = carried.carry(f"genbench tune --accept -o {quote(str(root))}")
        listener.print(f"trials: {root}/tuning/   next: {accepted}")
    raise SystemExit(code)


def refuse_unused(accept: bool, curves: bool) -> None:
    """Refuses options that say how to train where nothing is trained, and --tuned where nothing is written.

    Raises:
        SpecError: Naming the options that would not be used.
    """
    options = common.list_given_options()
    verb = "--accept" if accept else "--curves" if curves else None
    if verb is None:
        for option, owner in (("tuned", "--accept"), ("readme", "--curves")):
            if option in options:
                raise SpecError(f"--{option} needs {owner}; add it, or leave --{option} out")
        return
    hint = PLANNED if accept and {"trials", "steps"} & set(options) else ""
    common.refuse_unused(f"tune {verb}", USED[verb], hint)
