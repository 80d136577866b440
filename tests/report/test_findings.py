import re

from report_records import HOSTILE, failed, measured, record, spec

from genbench.report.findings import count_environments, find_caveats, find_winners
from genbench.report.tables import make_leaderboards
from genbench.store import Record


def made(model, values, **changed):
    rows = []
    for seed, value in enumerate(values):
        about = spec(model, "ring", seed)
        given = {"status": "ok", "taxonomy": "implicit/direct"} | changed
        given["metrics"] = [measured("mmd", value, "p")]
        rows.append(Record(cell=about.cell, group=about.group, spec=about, **given))
    return rows


def sentences(*rows):
    return [
        f.sentence for f in find_winners(make_leaderboards([r for group in rows for r in group]))
    ]


def test_the_best_and_the_next_are_named_with_intervals():
    (said,) = sentences(made("a", [1.0, 1.1, 1.2, 1.0, 1.1]), made("b", [5.0, 5.3, 5.1, 5.2, 5.0]))
    assert said.startswith("Best mmd on ring: a 1.08 [0.97")
    assert "next: b 5.12 [4.9" in said
    assert "distinguished" not in said


def test_what_cannot_be_told_apart_is_said():
    a, b = [1.0, 1.4, 1.2, 1.0, 1.1], [1.3, 1.1, 1.0, 1.4, 1.2]
    assert sentences(made("a", a), made("b", b))[0].endswith("which cannot be distinguished")
    assert sentences(made("a", a[:3]), made("b", b[:3]))[0].endswith("too few seeds to tell")
    assert sentences(made("a", [1.0] * 5), made("b", [1.0] * 5))[0].endswith("all are equal")


def test_one_model_is_no_comparison():
    assert sentences(made("a", [1.0] * 5)) == []
    assert sentences(made("a", [1.0] * 5), made("r", [0.1] * 5, taxonomy="reference")) == []


def test_caveats_are_computed(store):
    said = "\n".join(find_caveats(make_leaderboards(store.records()), ["x.json is not a record"]))
    assert "Too few seeds to tell (fewer than 5): gan (hidden=[128, 128]" in said
    assert "9 of 147 runs did not complete" in said
    assert "pixelcnn on grid (0/8 ok)" in said
    assert "On digits these have several protocols or kinds" in said
    assert re.search(r"(have no|has) [\w, ]*bits_per_dim \(", said)
    assert "Not read: x.json is not a record" in said
    assert "environments" not in said


def test_sound_records_have_no_caveats(store):
    rows = [record(store, "wgan_gp", "ring", s, with_samples=False) for s in range(5)]
    rows = [r.model_copy(update={"metrics": r.metrics[:1]}) for r in rows]
    assert find_caveats(make_leaderboards(rows)) == []


def test_differing_data_budgets_and_environments_are_told(store):
    a = record(store, "gan", "ring", 0, with_samples=False)
    b = record(store, "vae", "ring", 0, with_samples=False, budget={"seconds": 60})
    b = b.model_copy(update={"data_hashes": {"test": "other"}, "environment": {"torch": "1.0"}})
    said = "\n".join(find_caveats(make_leaderboards([a, b])))
    assert "Budgets differ on ring: 4,000 steps, 60.0 seconds" in said
    assert "made on different data (test)" in said
    assert "several environments (differing in torch)" in said


def test_environment_counts_values(store):
    rows = dict(count_environments(store.records()))
    assert rows["torch"] == [("2.13.0", 147)]
    assert rows["git.commit"] == [("0123abc", 147)]


def test_failures_are_not_hidden_by_hostile_reasons(store):
    bad = failed(record(store, "gan", "ring", 0), "error", "train", HOSTILE)
    assert "1 of 1 runs did not complete" in find_caveats(make_leaderboards([bad]))[0]
