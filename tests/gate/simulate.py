"""The gate's error rates by simulation: alarms on resampled seeds of unchanged code, and planted shifts.

    python tests/gate/simulate.py [--repeats 200] [--from results]

Scores are drawn from laws (all scores normal, skewed, heavy-tailed, of two outcomes or counts; or mixed
as in a real gate), and from scores of suite toys in a results folder: whole seeds are resampled, so that
columns keep their correlation, and jittered, so that there are more outcomes than recorded seeds.
Without jitter five draws out of eight seeds repeat each other: they spread less than five seeds do, and
more gates fail than would with seeds of their own, as plants.py draws them.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

from genbench.core.spec import Budget, CellSpec
from genbench.report.gate.accept import accept
from genbench.report.gate.check import check
from genbench.running.cells import groups_of
from genbench.store import Measurement, Record, Store
from genbench.store.documents import load_suites

SUITES = Path(__file__).parents[2] / "benchmarks.yaml"
MODELS = ("gan", "wgan_gp", "vae", "realnvp", "made", "rbm", "gaussian", "resample")
DATASETS = ("ring", "digits")
#: the size of suite ci: a row a (cell, column)
COLUMNS = ("fid", "mmd", "precision", "recall", "density", "coverage", "nll")
COLUMNS += ("modes", "modes_strict", "high_quality", "reverse_kl", "latency_1_min_ms")
UNITS = {"modes": "modes", "modes_strict": "modes", "nll": "nats", "latency_1_min_ms": "ms"}
HIGHER = ("precision", "recall", "density", "coverage", "modes", "modes_strict", "high_quality")
SIGNS = np.array([-1.0 if c in HIGHER else 1.0 for c in COLUMNS])
CELLS = [(model, dataset) for dataset in DATASETS for model in MODELS]

LAWS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "log-normal(1)": lambda rng, shape: np.exp(rng.normal(size=shape)),
    "Student(3)": lambda rng, shape: rng.standard_t(3, size=shape),
    "two outcomes": lambda rng, shape: (rng.random(shape) < 0.3) + 0.02 * rng.normal(size=shape),
    "counts": lambda rng, shape: rng.binomial(8, 0.9, size=shape).astype(float),
}
#: a gate like a real one: counts where modes are counted, three seeds of ten that collapse in two models,
#: skewed distances, the rest normal
MIXED = "mixed"


def drawn(law, rng, shape):
    """Draws of a law, shape (cells, columns, seeds)."""
    if law != MIXED:
        return LAWS[law](rng, shape)
    made = LAWS["normal"](rng, shape)
    names = np.array(COLUMNS)
    made[:, names == "fid"] = LAWS["log-normal(1)"](rng, made[:, names == "fid"].shape)
    unstable = [model in ("gan", "rbm") for model, _ in CELLS]
    made[unstable] = LAWS["two outcomes"](rng, made[unstable].shape)
    counted = np.isin(names, ("modes", "modes_strict"))
    made[:, counted] = LAWS["counts"](rng, made[:, counted].shape)
    return made


def correlated(law, rng, shape, share):
    """Draws whose columns agree for a share of the seeds: whole seeds are lucky or not."""
    own, common = drawn(law, rng, shape), drawn(law, rng, shape)
    lucky = rng.random((shape[0], 1, shape[2])) < share
    if law == MIXED:
        return own
    return np.where(lucky, common[:, :1] * SIGNS[:, None], own)


class Fabricated:
    """Records of the cells, made once and filled with new values again and again."""

    def __init__(self, seeds):
        self.rows = [[_blank(model, dataset, seed) for seed in seeds] for model, dataset in CELLS]

    def __call__(self, values):
        """The records with values [cells, columns, seeds] (of times: logarithms)."""
        for members, held in zip(self.rows, values.tolist(), strict=True):
            for i, record in enumerate(members):
                for m, column in zip(record.metrics, held, strict=True):
                    m.value = math.exp(column[i]) if m.unit == "ms" else column[i]
        return [record for members in self.rows for record in members]


def _blank(model, dataset, seed):
    spec = CellSpec(
        **{"model": model, "model_version": 1, "options": {}, "dataset": dataset},
        **{"dataset_version": 1, "budget": Budget(steps=1), "batch": 1, "seed": seed},
    )
    metrics = [
        Measurement(
            **{"id": c, "metric": c, "version": 1, "protocol": "p", "value": 0.0},
            **{"unit": UNITS.get(c, ""), "better": "higher" if c in HIGHER else "lower"},
        )
        for c in COLUMNS
    ]
    return Record(cell=spec.cell, group=spec.group, status="ok", spec=spec, metrics=metrics)


def accepted(rows):
    return accept(rows, suite="ci", by="simulation", when="2026-01-01")


def law_alarms(law, n, repeats, *, same_seeds=True, share=0.5, plant=None, seed=0):
    """The share of gates that fail: unchanged code, or with `plant` added to the candidate."""
    rng, failed = np.random.default_rng([seed, n, *map(ord, law)]), 0
    before, after = Fabricated(range(n)), Fabricated(range(n) if same_seeds else range(50, 50 + n))
    for _ in range(repeats):
        base, now = (correlated(law, rng, (len(CELLS), len(COLUMNS), n), share) for _ in "ab")
        if plant is not None:
            now = now + plant[:, :, None]
        failed += not check(accepted(before(base)), after(now)).ok
    return failed / repeats


def planted(size, columns=None):
    """A worsening of so many units of the law in the first cell, in all or the first so many columns."""
    shift = np.zeros((len(CELLS), len(COLUMNS)))
    shift[0, :columns] = size * SIGNS[:columns]
    return shift


class Recorded:
    """Recorded groups of suite toys as pools of seeds; of reading several times the size, so kept once.

    Arguments:
        root: A results folder, which may hold more; groups of five seeds or more are used.
    """

    def __init__(self, root):
        asked = groups_of(load_suites(SUITES)["toys"])
        groups = {}
        for record in Store(root).records():
            if record.status == "ok" and record.group in asked:
                groups.setdefault(record.group, []).append(record)
        self.groups = {g: rows for g, rows in groups.items() if len(rows) >= 5}

    def draw(self, rng, n, *, jitter=0.5, first=0, acting=None):
        """n resampled seeds of every group; of group g with the scores of acting[g], if there."""
        made = []
        for group, own in self.groups.items():
            rows = self.groups[(acting or {}).get(group, group)]
            spread = _spreads(rows)
            for i, k in enumerate(rng.integers(len(rows), size=n)):
                metrics = [
                    m.model_copy(
                        update={
                            "id": _guarded(m, rows[k]),
                            "value": _jittered(m, spread, jitter, rng),
                        }
                    )
                    for m in rows[k].metrics
                ]
                spec = own[0].spec.model_copy(update={"seed": first + i})
                made.append(
                    own[0].model_copy(
                        update={"spec": spec, "cell": spec.cell, "metrics": metrics, "curve": []}
                    )
                )
        return made

    def find(self, model, dataset):
        """The group of a model on a data set."""
        specs = {g: rows[0].spec for g, rows in self.groups.items()}
        return next(g for g, s in specs.items() if (s.model, s.dataset) == (model, dataset))

    def alarms(self, n, repeats, *, jitter=0.5, acting=None, change=None, seed=0):
        """The share of gates that fail, and how many scores a gate holds."""
        rng, failed, tested = np.random.default_rng([seed, n]), 0, 0
        for _ in range(repeats):
            baseline = accepted(self.draw(rng, n, jitter=jitter))
            now = self.draw(rng, n, jitter=jitter, first=0, acting=acting)
            outcome = check(baseline, change(now) if change else now, across_machines=True)
            failed, tested = failed + (outcome.exit_code == 1), outcome.tested
        return failed / repeats, tested

    def slower(self, model, dataset, times):
        """What makes a model's sampler so many times slower."""
        group = self.find(model, dataset)

        def change(rows):
            return [_slowed(row, times) if row.group == group else row for row in rows]

        return change


def _slowed(record, times):
    factor = {"ms": times, "samples/s": 1 / times}
    metrics = [
        m.model_copy(update={"value": m.value * factor[m.unit]}) if m.unit in factor else m
        for m in record.metrics
    ]
    return record.model_copy(update={"metrics": metrics})


def _guarded(m, record):
    """The column; a median time stands for the fastest in records that do not hold that."""
    fastest = m.id.replace("_p50_", "_min_")
    return m.id if any(held.id == fastest for held in record.metrics) else fastest


def _spreads(rows):
    held = {}
    for row in rows:
        for m in row.metrics:
            if m.value is not None:
                held.setdefault((m.id, m.split, m.protocol), []).append(m.value)
    return {key: np.std(values, ddof=1) if len(values) > 1 else 0 for key, values in held.items()}


def _jittered(m, spread, jitter, rng):
    size = spread.get((m.id, m.split, m.protocol), 0.0)
    if m.value is None or not jitter or m.unit in ("modes", "steps"):
        return m.value
    moved = m.value + jitter * size * rng.normal()
    return max(moved, 0.3 * m.value) if m.unit in ("ms", "samples/s") else moved


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--from", dest="root", type=Path, default=Path("results"))
    given = parser.parse_args()
    rows = len(CELLS) * len(COLUMNS)
    print(f"False alarms of the whole gate, unchanged code, {given.repeats} repeats (%)")
    for law in (*LAWS, MIXED):
        for n in (5, 8):
            same, other = (
                law_alarms(law, n, given.repeats, same_seeds=matched) for matched in (True, False)
            )
            print(f"  {law:<14} n={n}  {rows} scores  same seeds {same:6.1%}  others {other:6.1%}")
    for law in ("normal", "log-normal(1)"):
        for columns, told in ((None, "every column of one cell"), (1, "one column of one cell")):
            print(f"{law} scores, worsening planted in {told}, caught (%)")
            for n in (5, 8):
                rates = {
                    size: law_alarms(law, n, given.repeats // 2, plant=planted(size, columns))
                    for size in (1, 2, 3, 4, 6)
                }
                print(f"  n={n}  " + "  ".join(f"{s} sd {r:6.1%}" for s, r in rates.items()))
    recorded(given)


def recorded(given):
    pool = Recorded(given.root)
    print(f"Recorded scores of suite toys, {len(pool.groups)} groups in {given.root}")
    gan, wgan_gp = pool.find("gan", "ring"), pool.find("wgan_gp", "ring")
    noise, vae = pool.find("uniform", "ring"), pool.find("vae", "ring")
    for n in (5, 8):
        for jitter in (0.0, 0.5):
            rate, tested = pool.alarms(n, given.repeats, jitter=jitter)
            print(
                f"  unchanged code          n={n} jitter {jitter}: {rate:6.1%} of {tested} scores"
            )
        for name, acting in (
            ("wgan_gp scores as gan", {wgan_gp: gan}),
            ("gan scores as uniform", {gan: noise}),
            ("vae scores as gan", {vae: gan}),
        ):
            rate, _ = pool.alarms(n, given.repeats // 4, acting=acting)
            print(f"  {name:<23} n={n}: {rate:6.1%}")
        rate, _ = pool.alarms(n, given.repeats // 4, change=pool.slower("realnvp", "ring", 2.0))
        print(f"  sampler 2 times slower  n={n}: {rate:6.1%}")


if __name__ == "__main__":
    main()
