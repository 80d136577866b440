"""Second looks at verdicts that go against a claim: other settings, more rounds or seeds, other models.

    python tests/claims/reviews.py cells [--model NAME]... [--output reviews] [--jobs 2]
    python tests/claims/reviews.py arithmetic [--seeds 8] [--rounds 3000]
    python tests/claims/reviews.py stability [--seeds 8] [--rounds 3000]
    python tests/claims/reviews.py augmentation --seeds 32 --rounds 2000

`cells` trains what tests/claims/reviews.yaml lists in addition to the cells of claims. `arithmetic` takes
other GANs than the claim's own to latent arithmetic. `stability` trains restricted Boltzmann machines
without what tames them by default: clipped gradients, falling steps, averaged weights. `augmentation`
trains the claim's GANs, and classifiers, on fewer and on more digits of each class.

Results are printed, and with --keep written to tests/claims/reviews/, which the notes on claims' cards
quote; tests/claims/test_notes.py compares their numbers with it.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from unittest import mock

from genbench.claims import training_stability
from genbench.claims._augmentation import make_experiment
from genbench.core.claim import Run
from genbench.core.dataset import DATASETS
from genbench.core.device import choose_device
from genbench.core.model import MODELS, Player
from genbench.core.options import defaults
from genbench.core.rng import Rng
from genbench.experiments import augmentation, latent_arithmetic
from genbench.experiments import stability as grids
from genbench.store import Store
from genbench.store.environment import environment

HERE = Path(__file__).parent
REVIEWS = HERE / "reviews"
#: the claim's own GAN and others, with codes of the same size
GANS = ("r1_gan", "wgan_gp", "hinge_sn", "gan")
#: real digits of each class; ten are the claim's own
DIGITS = (5, 10, 20, 40)

#: by column, one value per seed
Columns = dict[str, dict[int, float]]


def cells(arguments: argparse.Namespace) -> Columns:
    """Trains the suite beside this file; returns every column of every cell."""
    suite = ["--config", str(HERE / "reviews.yaml"), "--output", str(arguments.output)]
    runs = ["--executor", "processes", "--jobs", str(arguments.jobs)]
    runs += [word for name in arguments.models for word in ("--model", name)]
    subprocess.run([sys.executable, "-m", "genbench", "run", "reviews", *suite, *runs], check=True)
    columns: Columns = defaultdict(dict)
    for record in Store(arguments.output).load()[0]:
        spec = record.spec
        usual = json.loads(json.dumps(defaults(MODELS.get(spec.model))))
        changed = {name: value for name, value in spec.options.items() if value != usual[name]}
        name = f"{Run(spec.model, spec.dataset, (), changed)}, {spec.budget.steps} rounds"
        for row in record.metrics:
            if row.split == "test" and row.value is not None:
                columns[f"{name}: {row.id}"][spec.seed] = row.value
    return dict(columns)


def arithmetic(arguments: argparse.Namespace) -> Columns:
    """Returns the share of tasks that sums solve, beside that of random steps."""
    rng, dataset = Rng(range(arguments.seeds)), DATASETS.get("digits")()
    columns: Columns = {}
    with mock.patch.dict(latent_arithmetic.MODELS, {name: {"latent": 16} for name in GANS}):
        for name in (*GANS, "vae"):
            space, _ = latent_arithmetic.train_space(
                name, dataset, arguments.rounds, rng.fork(name)
            )
            shares = latent_arithmetic.measure_shares(
                space, dataset, 2000, 1000, rng.fork(name, "t")
            )
            for attribute in latent_arithmetic.ATTRIBUTES:
                for step in ("sum", "random"):
                    values = shares[f"samples_{attribute}_{step}"].tolist()
                    columns[f"{name}: {attribute}, {step}"] = dict(enumerate(values))
    return columns


def stability(arguments: argparse.Namespace) -> Columns:
    """Returns the columns of the claim's experiment of machines as they are and untamed."""
    plain = grids.retune
    columns: Columns = {}
    for title, change in (("tamed", plain), ("untamed", untamed(plain))):
        with mock.patch.object(grids, "retune", change):
            rows = training_stability.experiment(
                Rng(range(arguments.seeds)), rounds=arguments.rounds, families=("rbm",)
            )
        columns |= {f"{title}: {name}": dict(enumerate(row)) for name, row in rows.items()}
    return columns


def augment(arguments: argparse.Namespace) -> Columns:
    """Returns the classifiers' accuracy by how many digits of each class there are; GANs alone."""
    columns: Columns = {}
    others = {"CONDITIONAL": augmentation.GANS, "APART": {}, "FITTED": ()}
    few_digits = make_experiment("digits")
    with mock.patch.multiple(augmentation, **others):
        for count in DIGITS:
            rows = few_digits(Rng(range(arguments.seeds)), each=count, rounds=arguments.rounds)
            columns |= {f"{count} digits: {name}": dict(enumerate(c)) for name, c in rows.items()}
    return columns


def untamed(retune):
    """Leaves a player only its loss and its optimiser."""

    def changed(player: Player, **options) -> Player:
        return replace(retune(player, **options), clip=None, schedule=None, average=None)

    return changed


def summarise(values: dict[int, float]) -> str:
    """Mean and standard error of what is a number."""
    finite = [value for value in values.values() if math.isfinite(value)]
    if len(finite) < 2:
        return f"of {len(finite)} numbers"
    return f"{statistics.fmean(finite):.3g} ± {statistics.stdev(finite) / len(finite) ** 0.5:.2g}"


def main() -> int:
    """Prints a second look, and keeps it on request."""
    reviews = {"cells": cells, "arithmetic": arithmetic, "stability": stability}
    reviews["augmentation"] = augment
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("review", choices=reviews)
    parser.add_argument("--seeds", type=int, default=8, help="of experiments; the suite has four")
    parser.add_argument("--rounds", type=int, default=3000, help="of experiments")
    parser.add_argument("--model", dest="models", action="append", default=[], help="some cells")
    parser.add_argument("--output", type=Path, default=Path("reviews"), help="where cells go")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes for cells")
    parser.add_argument("--keep", action="store_true", help="write what the notes quote")
    arguments = parser.parse_args()
    columns = reviews[arguments.review](arguments)
    for name, values in columns.items():
        print(f"{name}: {summarise(values)}")
    if arguments.keep:
        machine = environment(choose_device("cpu"))
        path = REVIEWS / f"{arguments.review}.json"
        others = (
            json.loads(path.read_text())["columns"] if arguments.models and path.exists() else {}
        )
        whole = {"review": arguments.review, "environment": machine, "columns": others | columns}
        path.write_text(json.dumps(whole, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
