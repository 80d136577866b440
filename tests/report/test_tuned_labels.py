"""Tuned rows have short names in place of a dozen uneven numbers; the column that ranks is theirs."""

import pytest
from test_winners import around, make_records, scores

from genbench.core.model import MODELS
from genbench.core.options import defaults
from genbench.core.spec import Budget, Training
from genbench.report.groups import make_labels
from genbench.report.tables import make_leaderboards
from genbench.report.winners import make_sheet
from genbench.store.tuned import choices_of, read_tuned
from genbench.store.tuned_options import find_tuned

USUAL = defaults(MODELS.get("gan"))
OPTIONS, TRAINING = find_tuned("gan", "digits", Budget(steps=3000), 128, "samples")
OTHER = next(n for n in USUAL if n not in OPTIONS)


def label(*specs):
    """The labels of cells, of one record each."""
    (record,) = list(make_records("gan", {"fid": [1.0]}, "digits", options=USUAL))
    rows = [record.model_copy(update={"spec": record.spec.model_copy(update=s)}) for s in specs]
    return list(make_labels({r.spec.group: [r] for r in rows}).values())


def tuned(**changed):
    return {"options": USUAL | OPTIONS | changed, "training": TRAINING}


def test_tuned_options_have_one_name_and_defaults_none():
    assert label(tuned(), {}) == ["gan (tuned by fid)", "gan"]
    assert label(tuned(), {"options": USUAL | {"lr": 0.5}}) == [
        "gan (tuned by fid)",
        "gan (lr=0.5)",
    ]
    assert label(tuned()) == ["gan (tuned by fid)"]


def density_label(name, criterion):
    """The label of a row of digits with the options that a criterion chose."""
    usual = defaults(MODELS.get(name))
    where = name, "digits", Budget(steps=3000), 128, criterion
    options, training = find_tuned(*where)
    (record,) = list(make_records(name, {"nll": [1.0]}, "digits", options=usual))
    change = {"options": usual | options, "training": training}
    change["model_version"] = MODELS.get(name).version
    row = record.model_copy(update={"spec": record.spec.model_copy(update=change)})
    (text,) = make_labels({row.spec.group: [row]}).values()
    return text, row.spec.group


@pytest.mark.parametrize("name", ["vae", "maf"])
def test_options_chosen_by_likelihood_are_rows_of_their_own_and_say_so(name):
    (samples, one), (density, other) = (density_label(name, c) for c in ("samples", "density"))
    assert (samples, density) == (f"{name} (tuned by fid)", f"{name} (tuned by nll)")
    assert one != other


def test_a_trial_that_is_the_best_by_both_is_one_row_that_names_both():
    texts = {density_label("made", criterion) for criterion in ("samples", "density")}
    assert len(texts) == 1
    assert texts.pop()[0] == "made (tuned by fid and nll)"


def test_what_was_not_tuned_is_named_beside_it():
    names = label(tuned(), tuned(**{OTHER: "other"}))
    assert names[0] == "gan (tuned by fid)"
    assert names[1] == f'gan ({OTHER}="other", tuned by fid)'


def test_a_tuned_option_that_has_another_value_is_named_where_the_training_tells_the_rest():
    one, *more = list(OPTIONS)
    off = tuned(**{one: 0.0625})
    assert label(tuned(), off) == ["gan (tuned by fid)", f"gan ({one}=0.0625, tuned by fid)"]
    untuned = {**off, "training": None}
    assert "tuned" not in label(tuned(), untuned)[1]
    assert "tuned by fid" in label(tuned(), tuned(**dict.fromkeys([one, *more[:-1]], 0.0625)))[1]
    several = tuned(**dict.fromkeys([one, *more], 0.0625))
    assert more
    assert "tuned" not in label(tuned(), several)[1]


@pytest.mark.parametrize(
    "changed",
    [
        {"options": USUAL | OPTIONS | {"lr": 1e-4}},
        {"training": None},
        {"training": Training(average=0.5)},
        {"dataset": "ring"},
        {"model_version": 99},
    ],
    ids=str,
)
def test_other_options_training_data_or_version_are_not_the_tuned_ones(changed):
    (record,) = list(make_records("gan", {"fid": [1.0]}, "digits", options=USUAL))
    spec = record.spec.model_copy(update=tuned())
    assert [choice.column for choice in choices_of(spec)] == ["fid"]
    assert choices_of(spec.model_copy(update=changed)) == []


def test_without_a_file_nothing_is_tuned(tmp_path, monkeypatch):
    (record,) = list(make_records("gan", {"fid": [1.0]}, "digits", options=USUAL))
    spec = record.spec.model_copy(update=tuned())
    assert choices_of(spec, tmp_path / "none.yaml") == []
    assert read_tuned().entries


def test_the_listed_entrants_protocol_decides_though_more_rows_have_another(monkeypatch):
    """Older cells by another machine's classifier stay in the table and do not rank the entrants."""
    older = []
    for name, fid in (("resgan", 5.0), ("lsgan", 6.0), ("vae", 7.0), ("maf", 8.0)):
        for record in make_records(name, scores(fid)):
            rows = [m.model_copy(update={"protocol": "older"}) for m in record.metrics]
            older.append(record.model_copy(update={"metrics": rows}))
    newer = [r for name in ("gan", "vae") for r in make_records(name, scores(20.0), steps=10)]
    newer += list(make_records("iwae", {"fid": around(30.0)}, steps=10))
    listed = frozenset(r.group for r in newer)
    monkeypatch.setattr("genbench.report.contests.find_listed", lambda spec: listed)
    (table,) = make_leaderboards([*older, *newer])
    assert table.standings.column.protocol == "classifier"
    assert {e.group.model for e in table.standings.entrants} == {"gan", "vae"}
    assert make_sheet([table]).rows
    monkeypatch.setattr("genbench.report.contests.find_listed", lambda spec: frozenset())
    (table,) = make_leaderboards([*older, *newer])
    assert table.standings.column.protocol == "older"
