"""Which rows are the entrants that are laid down, at whatever rounds a data set's cells have."""

from dataclasses import replace

from genbench.core.entrants import make_runs, read_entrants
from genbench.core.spec import Budget
from genbench.report.declared import find_listed
from genbench.report.groups import Group
from genbench.running.claim_cells import specs_of
from genbench.store import Record, Used


def row(model, dataset="circle", kind="plane", count=1, **changed):
    """A row of a listed entrant's run, with some of its settings changed."""
    families = list(read_entrants().kinds[kind].families)
    run = replace(make_runs(kind, families, dataset, ("mmd",))[model], **changed)
    return make_row(
        [spec.model_copy(update={"seed": k}) for k in range(count) for spec in specs_of(run)[:1]]
    )


def make_row(specs):
    records = [Record(cell=s.cell, group=s.group, status="ok", spec=s, used=Used()) for s in specs]
    return Group(records[0].group, specs[0].model, tuple(records))


def test_on_data_with_other_rounds_entrants_are_the_rows_of_those_that_most_have():
    own = [row(name, steps=4000) for name in ("gan", "wgan_gp", "vae")]
    others = [
        row("gan", steps=100, count=9),
        row("gan", steps=4000, options={"lr": 0.5}),
        row("gan", steps=4000, batch=8),
        make_row([s.model_copy(update={"model": "lsgan"}) for s in [own[0].first.spec]]),
    ]
    assert find_listed([*others, *own]) == {group.id for group in own}


def test_the_lists_own_rounds_come_first_where_as_many_have_them():
    listed, longer = row("gan"), row("gan", steps=9000, count=3)
    assert find_listed([longer, listed]) == {listed.id}


def test_where_models_were_tuned_their_defaults_are_no_entrants():
    tuned, default = (
        row("gan", "ring", steps=3000),
        row("gan", "ring", steps=3000, tuned=False, untuned="refuse"),
    )
    assert tuned.id != default.id
    assert find_listed([default, tuned]) == {tuned.id}
    assert find_listed([default]) == frozenset()


def test_an_entrant_with_rounds_of_its_own_keeps_them():
    about = {"dataset": "digits", "kind": "image"}
    others = [row(name, **about) for name in ("gan", "vae", "r1_gan")]
    own, usual = row("dcgan", **about), row("dcgan", steps=3000, batch=128, count=4, **about)
    assert own.first.spec.budget == Budget(steps=2500)
    assert find_listed([usual, own, *others]) == {group.id for group in (own, *others)}


def test_rows_without_rounds_and_data_of_another_machine_have_no_entrants():
    group = row("gan")
    timed = make_row([group.first.spec.model_copy(update={"budget": Budget(seconds=3.0)})])
    assert find_listed([timed]) == frozenset()
    elsewhere = make_row([group.first.spec.model_copy(update={"dataset": "not_installed"})])
    assert find_listed([elsewhere]) == frozenset()
