import re

from report_records import HOSTILE, failed, measured, record

from genbench.report.findings import count_environments, find_caveats
from genbench.report.tables import make_leaderboards


def test_caveats_are_computed(store):
    said = "\n".join(find_caveats(make_leaderboards(store.records()), ["x.json is not a record"]))
    assert "Too few seeds to tell (fewer than 5): gan (hidden=[128, 128]" in said
    assert "1 of 139 runs did not complete" in said
    assert "pixelcnn" not in said.split("did not complete")[1].split("\n")[0], (
        "was refused, not run"
    )
    assert "On digits these have several protocols or kinds" in said
    assert re.search(r"(have no|has) [\w, ]*bits_per_dim \(", said)
    assert "Not read: x.json is not a record" in said
    assert "environments" not in said


def test_protocols_of_held_out_and_of_training_data_have_names_of_their_own(store):
    places = [(protocol, split) for protocol in ("n=1", "n=2") for split in ("test", "train")]
    metrics = [measured("fid", 1.0, protocol, split=split) for protocol, split in places]
    row = record(store, "gan", "digits", 0, with_samples=False)
    (text,) = (
        text
        for text in find_caveats(make_leaderboards([row.model_copy(update={"metrics": metrics})]))
        if "several protocols" in text
    )
    assert text.endswith("other: fid (2 columns), fid on train (2 columns).")


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


def test_rows_of_several_sources_of_a_model_are_told_as_such(store):
    """It was said to be a difference of machines; two plugins of one source each are none at all."""

    def make(model, seed, source):
        row = record(store, model, "ring", seed, with_samples=False)
        return row.model_copy(update={"environment": {"source": source}})

    apart = [make(model, seed, model) for model in ("gan", "vae") for seed in (0, 1)]
    said = "\n".join(find_caveats(make_leaderboards(apart)))
    assert "source" not in said
    mixed = [*apart[:3], make("vae", 1, "edited")]
    said = "\n".join(find_caveats(make_leaderboards(mixed)))
    assert (
        "On ring, rows mix seeds that were trained by several sources of their model's file: vae"
        in said
    )
    assert "(2 sources); train them anew (genbench run --force)" in said
    assert "environments" not in said


def test_environment_counts_values(store):
    rows = dict(count_environments(store.records()))
    assert rows["torch"] == [("2.13.0", 147)]
    assert rows["git.commit"] == [("0123abc", 147)]


def test_failures_are_not_hidden_by_hostile_reasons(store):
    bad = failed(record(store, "gan", "ring", 0), "error", "train", HOSTILE)
    assert "1 of 1 runs did not complete" in find_caveats(make_leaderboards([bad]))[0]
