"""Which family wins: the best row of each, and bold only where no other family may share the first rank."""

import pytest

from genbench.core.spec import Budget, CellSpec
from genbench.report.tables import make_leaderboards
from genbench.report.winners import find_contests, to_markdown
from genbench.store import Measurement, Record, Used


def make_records(model, values):
    for seed, value in enumerate(values):
        spec = CellSpec(
            model=model,
            model_version=1,
            options={},
            dataset="digits",
            dataset_version=1,
            budget=Budget(steps=9),
            batch=8,
            seed=seed,
        )
        row = Measurement(
            id="fid",
            metric="fid",
            version=1,
            key="k",
            protocol="p",
            value=value,
            better="lower",
            kind="exact",
        )
        yield Record(
            cell=spec.cell, group=spec.group, status="ok", spec=spec, used=Used(), metrics=[row]
        )


def tables(**rows):
    records = [r for model, values in rows.items() for r in make_records(model, values)]
    return make_leaderboards(records)


NOISE = (0.0, 0.3, -0.2, 0.1, -0.3, 0.2, -0.1, 0.4)


def around(mean):
    return [mean + e for e in NOISE]


@pytest.mark.parametrize(("other", "sure"), [(20.0, True), (10.05, False)])
def test_the_best_row_of_every_family_and_whether_the_first_is_sure(other, sure):
    wild = [other + 9 * e for e in reversed(NOISE)] if not sure else around(other)
    board = tables(gan=around(10.0), lsgan=around(30.0), vae=wild)
    (contest,) = find_contests(board)
    assert [(c.family, c.group.model) for c in contest.champions] == [
        ("adversarial", "gan"),
        ("variational", "vae"),
    ]
    assert contest.sure == sure
    assert ("**adversarial: gan" in to_markdown(board)) == sure


def test_rivals_of_the_same_family_make_the_family_no_less_sure():
    board = tables(gan=around(10.0), lsgan=[10 + 9 * e for e in reversed(NOISE)], vae=around(90.0))
    (contest,) = find_contests(board)
    assert contest.sure
