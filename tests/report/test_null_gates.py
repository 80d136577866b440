"""Planted null rows: where one counts as good the metric is not judged, in tables, pages and claims."""

from dataclasses import replace
from shutil import rmtree

import pytest
from claim_records import write
from report_records import measured, spec
from test_tables import column, row

from genbench.claims import multimodal_output, sample_quality
from genbench.claims._cells import move_to_fashion
from genbench.cli.claims_text import list_details
from genbench.core.claim import CLAIMS, Run
from genbench.report.cards import Card
from genbench.report.claim_json import to_dict
from genbench.report.claim_readme import group_by_verdict
from genbench.report.findings import find_caveats
from genbench.report.formats import to_markdown
from genbench.report.tables import make_leaderboards
from genbench.running.claims import is_decided
from genbench.running.scale import Scale
from genbench.store import Record, Store

METRICS = sample_quality.METRICS
UNIFORM = Run("uniform", "digits", METRICS, steps=3000, batch=128)


def records(noise, taxonomy="reference", name="uniform"):
    """Two models of six seeds and a row with this precision, where real points have .936."""
    rows = []
    for model, precision, kind in (
        ("gan", 0.93, "implicit/direct"),
        ("vae", 0.73, "explicit/approximate/variational"),
        (name, noise, taxonomy),
    ):
        for seed in range(6):
            about = spec(model, "fashion_mnist", seed)
            value = precision + 0.001 * seed
            scores = [measured("precision", value, better="higher", floor=0.936)]
            scores += [measured("fid", 100 * (2 - precision) + seed, "classifier", floor=1.0)]
            rows.append(
                Record(
                    cell=about.cell,
                    group=about.group,
                    status="ok",
                    spec=about,
                    taxonomy=kind,
                    metrics=scores,
                )
            )
    return rows


def test_a_column_that_noise_passes_is_shown_and_not_ranked():
    (table,) = make_leaderboards(records(noise=0.875))
    precision, fid = column(table, "precision"), column(table, "fid")
    assert not table.judges(precision)
    assert table.judges(fid)
    assert precision not in table.rankings
    cell = table.cell(row(table, "gan"), precision)
    assert cell.values
    assert (cell.rank, cell.best) == (None, False)
    assert table.cell(row(table, "gan"), fid).best
    assert table.standings.column == fid
    reason = "a null row passes as good (>= 0.842): uniform with 0.877"
    assert (
        f"Not judged on fashion_mnist, as null rows pass: precision ({reason})."
        in find_caveats([table])
    )
    assert "not judged here: a null row passes as good" in to_markdown([table], title="t")


@pytest.mark.parametrize(
    "changed", [{"noise": 0.4}, {"noise": 0.875, "name": "resample"}], ids=str
)
def test_clearly_worse_noise_and_rows_that_know_the_data_leave_it_judged(changed):
    (table,) = make_leaderboards(records(**changed))
    precision = column(table, "precision")
    assert table.judges(precision)
    assert table.cell(row(table, "gan"), precision).best
    assert not [s for s in find_caveats([table]) if s.startswith("Not judged")]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    for k, run in enumerate(sample_quality.GANS.values()):
        write(store, run, fid=20 + k, kid=20 + k, precision=0.98 - 0.01 * k, recall=0.3)
    for k, run in enumerate(sample_quality.OTHERS.values()):
        write(store, run, fid=60 + k, kid=60 + k, precision=0.7 - 0.01 * k, recall=0.5)
    return store


def write_nulls(store, **columns):
    """Writes uniform noise of both data sets on which the claim is read."""
    for run in (UNIFORM, move_to_fashion(UNIFORM)):
        write(store, run, **columns)


def test_a_part_that_reads_what_noise_passes_is_not_judged(store):
    claim = CLAIMS.get("sample_quality")
    card = Card(claim, store)
    assert card.verdict.outcome == "supported"
    assert [part.effect.judged for part in card.verdict.parts] == 2 * [True, True, False]
    assert "precision on digits" in {text.partition(":")[0] for text in card.unchecked}
    assert not any(text.startswith("recall") for text in card.unchecked), "it is not judged"

    write(store, UNIFORM, fid=800, kid=800, precision=0.95, recall=0.01)
    card = Card(claim, store)
    assert [part.effect.judged for part in card.verdict.parts] == (
        [True, False, False, True, True, False]
    )
    assert card.verdict.by_data == {"digits": "supported", "fashion_mnist": "supported"}
    (sentence,) = card.withheld
    assert sentence.startswith("precision on digits is not judged: a null row passes")
    assert not any(text.startswith("precision on digits") for text in card.unchecked)
    assert to_dict(card)["not_judged"] == [sentence]


def test_clearly_worse_noise_leaves_every_part_judged(store):
    write_nulls(store, fid=800, kid=800, precision=0.4, recall=0.01)
    card = Card(CLAIMS.get("sample_quality"), store)
    assert [part.effect.judged for part in card.verdict.parts] == 2 * [True, True, False]
    assert card.withheld == []


def test_noise_measured_by_other_points_says_nothing(store):
    write(store, replace(UNIFORM, samples=99), fid=800, kid=800, precision=0.95, recall=0.01)
    assert Card(CLAIMS.get("sample_quality"), store).withheld == []


def test_the_same_claim_by_a_metric_that_noise_passes_has_no_verdict(store):
    write_nulls(store, fid=800, kid=800, precision=0.4, recall=0.99)
    by_metric = {
        row.name: row.verdict for row in Card(CLAIMS.get("sample_quality"), store).metrics
    }
    assert by_metric["recall"].judged == []
    assert by_metric["recall"].because == "no part is judged"
    assert by_metric["kid"].judged


def test_no_seeds_are_added_for_a_part_that_noise_passes(store):
    for run in sample_quality.OTHERS.values():
        write(store, run, fid=60, kid=60, precision=0.96, recall=0.5)
    claim = CLAIMS.get("sample_quality")
    assert not is_decided(claim, store, Scale())
    write_nulls(store, fid=800, kid=800, precision=0.95, recall=0.01)
    assert is_decided(claim, store, Scale())


def test_a_claim_that_waits_for_a_data_set_says_what_the_other_shows(store):
    rmtree(store.root / "fashion_mnist")
    card = Card(CLAIMS.get("sample_quality"), Store(store.root))
    assert card.waiting == {"fashion_mnist"}
    assert card.verdict.outcome == "inconclusive"
    assert card.verdict_text.startswith("supported on digits so far")
    assert group_by_verdict([card]) == [("supported on digits so far", [card])]
    some = move_to_fashion(next(iter(sample_quality.GANS.values())))
    write(store, some, fid=20, kid=20, precision=0.98, recall=0.3)
    card = Card(CLAIMS.get("sample_quality"), Store(store.root))
    assert card.verdict_text.startswith("supported on digits so far")


def test_scores_by_features_of_two_networks_are_not_compared(store):
    """Records of a machine that trained a classifier of its own beside those of the shipped one."""
    run = next(iter(sample_quality.GANS.values()))
    for record in store.of(run.dataset, run.model):
        rows = [m.model_copy(update={"protocol": "classifier:other, n=5"}) for m in record.metrics]
        store.write(record.model_copy(update={"metrics": rows}))
    card = Card(CLAIMS.get("sample_quality"), store)
    on_digits = [p for p in card.verdict.parts if p.effect.data == "digits"]
    assert [part.effect.judged for part in on_digits] == [False, False, False]
    assert card.verdict.by_data == {"digits": "inconclusive", "fashion_mnist": "supported"}
    fid = next(sentence for sentence in card.withheld if sentence.startswith("fid on digits"))
    assert "classifier:other and fabricated do not compare; run again with --force" in fid


def test_no_metric_of_pairs_waits_for_noise_which_answers_no_source(tmp_path):
    whole, store = CLAIMS.get("text_to_image"), Store(tmp_path)
    said = {"caption_accuracy": whole.null_exemptions["caption_accuracy"]}
    claim = replace(whole, null_exemptions=said)
    for run in claim.runs:
        write(store, run, caption_accuracy=0.9, caption_spread=0.8, fid=1)
    assert "caption_accuracy" in {column for run in claim.runs for column in run.metrics}
    card = Card(claim, store)
    assert not [text for text in card.unchecked if text.startswith("caption_accuracy")]
    lacking = "caption_spread on captioned_digits: null rows lack what it is measured of"
    assert lacking in card.unchecked
    assert lacking in list_details(card)["Not checked against null rows"][0]


def test_data_sets_of_one_name_and_other_options_are_seen_by_their_own_networks(tmp_path):
    claim, store = CLAIMS.get("multimodal_output"), Store(tmp_path)
    enlarged = [run for run in claim.runs if run.dataset == "super_resolution"]
    assert len({run.data for run in enlarged}) == 2
    for run in enlarged:
        write(store, run, psnr=20, fid=30, sharpness=0.9, perceptual_distance=0.1)
        seen = f"classifier:{run.dataset_options.get('of', 'digits')}, n=5"
        for record in store.of(run.dataset, run.model):
            if record.spec.dataset_options == dict(run.dataset_options):
                rows = [m.model_copy(update={"protocol": seen}) for m in record.metrics]
                store.write(record.model_copy(update={"metrics": rows}))
    card = Card(claim, store)
    assert card.withheld == []
    judged = [p.effect.name for p in card.verdict.judged if "FID" in p.effect.name]
    assert judged == [
        f"{data}: log FID of squared error over the judge's" for data in multimodal_output.ENLARGED
    ]
