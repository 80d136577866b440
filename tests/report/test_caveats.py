"""What cards say that could not be checked: columns without null rows, intervals without test sets' noise."""

import json
from io import StringIO

import pytest
from claim_records import write
from rich.console import Console

from genbench.cli.claims_text import list_details, print_claim
from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect, difference, log_ratio
from genbench.report.cards import Card
from genbench.report.claim_json import to_dict
from genbench.running.evidence import EXPERIMENT
from genbench.store import Store
from genbench.store import measurement_error as errors

GAN, VAE = (
    Run(name, "digits", ("fid", "inpainting", "prdc", "latency")) for name in ("bigan", "vae")
)


def effects(evidence):
    """Two models by a column whose error is known, one whose is not, a time, and one model alone."""
    parts = [
        Effect(
            column, log_ratio(*(evidence.scores(run, column) for run in (GAN, VAE))), judged=judged
        )
        for column, judged in (
            ("fid", True),
            ("inpainting", True),
            ("latency_1_p50_ms", True),
            ("inpainting_spread", False),
        )
    ]
    return [*parts, Effect("alone", evidence.scores(GAN, "inpainting_mean"))]


def make_claim(function=effects, runs=(GAN, VAE), **about):
    return Claim("planted", function, "s.", "x", "y", runs=runs, **about)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    numbers = {"inpainting": 0.2, "inpainting_spread": 0.1, "inpainting_mean": 0.3}
    for k, run in enumerate((GAN, VAE)):
        write(store, run, fid=20 + k, latency_1_p50_ms=2.0, **numbers)
    return store


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Plants a file of measurement errors that knows these columns of digits."""

    def call(*columns):
        spread = {"own": 1.0, "own_log": 0.1, "plain": 1.0, "log": 0.1}
        entry = {"test": spread, "floor": 0.25}
        file = tmp_path / "errors.json"
        content = {"schema": 1, "errors": {"digits": dict.fromkeys(columns, entry)}}
        file.write_text(json.dumps(content))
        monkeypatch.setattr(errors, "FILE", file)

    return call


def test_judged_comparisons_whose_noise_is_unknown_are_named(store, known):
    known("fid")
    card = Card(make_claim(), store)
    assert card.without_test_set == ["inpainting"]
    assert to_dict(card)["without_test_set"] == ["inpainting"]
    head = "Intervals without test set and extractor"
    assert list_details(card)[head] == ["inpainting"]
    known("fid", "inpainting")
    assert Card(make_claim(), store).without_test_set == []
    known()
    assert Card(make_claim(), store).without_test_set == ["fid", "inpainting"]


def test_nothing_is_named_before_it_is_measured_or_of_a_known_truth(tmp_path, known):
    known()
    assert Card(make_claim(), Store(tmp_path / "empty")).without_test_set == []
    pair = tuple(Run(name, "ring", ("modes", "mmd")) for name in ("gan", "vae"))

    def read(evidence):
        return [
            Effect(column, difference(*(evidence.scores(run, column) for run in pair)))
            for column in ("modes", "mmd")
        ]

    store = Store(tmp_path)
    for run in pair:
        write(store, run, modes=8.0, mmd=0.1)
    assert Card(make_claim(read, pair), store).without_test_set == ["mmd"]


def test_what_no_null_row_could_show_is_said_with_its_reason_unless_exempt(store):
    lacking = "inpainting on digits: null rows lack what it is measured of"
    card = Card(make_claim(), store)
    assert lacking in card.unchecked
    assert not any(text.startswith("inpainting_spread") for text in card.unchecked), "beside"
    assert lacking in list_details(card)["Not checked against null rows"][0]
    exempt = Card(make_claim(null_exemptions={"inpainting": "so"}), store)
    assert lacking not in exempt.unchecked
    assert list_details(exempt)["Needs no null row"] == ["inpainting: so"]
    assert to_dict(exempt)["null_exemptions"] == {"inpainting": "so"}


def test_an_experiment_is_unchecked_unless_the_claim_says_why_not(tmp_path):
    store = Store(tmp_path)
    text = f"what {EXPERIMENT} measures: null rows take no part in it"
    assert text in Card(CLAIMS.get("turns"), store).unchecked
    assert Card(CLAIMS.get("kl_direction"), store).unchecked == []


def test_a_floor_below_zero_has_a_bar_once_its_error_is_known(tmp_path, known):
    run = Run("gan", "digits", ("mmd",))

    def read(evidence):
        return [Effect("mmd", evidence.scores(run, "mmd"), 0.1, "below")]

    store, claim = Store(tmp_path), make_claim(read, (run,))
    write(store, run, mmd=0.1)
    for record in store.of("digits", "gan"):
        rows = [m.model_copy(update={"floor": -0.001}) for m in record.metrics]
        store.write(record.model_copy(update={"metrics": rows}))
    known()
    (phrase,) = Card(claim, store).unchecked
    assert phrase.endswith("real points score 0 or less, by an error that is not known")
    known("mmd")
    gate = Card(claim, store).gates["digits", "mmd"]
    assert str(gate.bar) == "<= 0.5"
    write(store, Run("uniform", "digits", ("mmd",)), mmd=0.4)
    (sentence,) = Card(claim, store).withheld
    assert "uniform with 0.4" in sentence
    assert Card(claim, store).verdict.judged == []


@pytest.mark.parametrize("name", sorted(CLAIMS.names()))
def test_claims_exempt_only_what_their_judged_effects_read(name):
    from genbench.running.dependencies import find_dependences, list_judged_columns

    claim = CLAIMS.get(name)
    read = {column for _, column in list_judged_columns(claim)}
    read |= {EXPERIMENT} if any(d.measured for d in find_dependences(claim)) else set()
    assert set(claim.null_exemptions) <= read
    assert all(claim.null_exemptions.values())


def test_cards_say_who_is_judged_by_default_beside_tuned_models(store):
    tuned, untuned = (
        Run(name, "digits", ("fid",), steps=3000, batch=128, tuned=True, untuned="default")
        for name in ("gan", "nade")
    )
    yardstick = Run("kde", "digits", ("fid",), steps=3000, batch=128)

    def compare(evidence, judged=True, other=untuned):
        values = (evidence.scores(run, "fid") for run in (tuned, other))
        return [Effect("fid", difference(*values), judged=judged)]

    runs = (tuned, untuned, yardstick)
    card = Card(make_claim(compare, runs), store)
    assert card.tuned_unequally == ["nade beside tuned gan on digits"]
    assert list_details(card)["By default beside tuned models"] == card.tuned_unequally
    assert to_dict(card)["tuned_unequally"] == card.tuned_unequally
    for change in ({"judged": False}, {"other": yardstick}):
        alike = make_claim(lambda evidence, change=change: compare(evidence, **change), runs)
        assert Card(alike, store).tuned_unequally == []


def test_a_card_keeps_brackets_and_its_command_is_one_line(tmp_path):
    folder = tmp_path / "[a] folder whose name is long" / ("b" * 60)

    def measured(evidence):
        return [Effect("a [dim]b[/dim]", {0: 2.0}, 1.0, unit="[m]"), Effect("c", {}, exact=True)]

    card = Card(make_claim(measured), Store(folder), folder=folder)
    shown = {}
    for width in (200, 60):
        out = StringIO()
        print_claim(Console(file=out, width=width, no_color=True), card)
        shown[width] = out.getvalue()
        command = f"Run it: genbench run claims --claim planted -o '{folder}'"
        assert command in shown[width].splitlines()
    assert "a [dim]b[/dim]" in shown[200]
    assert "2 [m]" in shown[200]
