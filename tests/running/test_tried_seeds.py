"""Claims some of whose planned seeds were not tried yet, of cells and of experiments."""

import pytest
from claim_records import make_trial, write
from click.testing import CliRunner

from genbench.claims import vae_blur
from genbench.cli import cli
from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect
from genbench.report.cards import Card, make_cards
from genbench.running.claim_cells import specs_of
from genbench.running.evidence import ClaimEvidence
from genbench.running.scale import Scale
from genbench.running.tried_seeds import find_tried, mark_tried
from genbench.store import Store
from genbench.store.trial import Trial, Trials

VAE = vae_blur.VAE


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    for run in (VAE, vae_blur.DRAWS):
        write(store, run, sharpness=0.6, high_frequency=0.6)
    for run in vae_blur.GANS.values():
        write(store, run, sharpness=1.0)
    return store


def make_card(store, **scale):
    (card,) = make_cards(Store(store.root), ["vae_blur"], Scale(**scale) if scale else None)
    return card


def test_a_record_that_is_lost_leaves_the_parts_that_read_it_open(store):
    assert make_card(store).verdict.outcome == "supported"
    store.path(specs_of(VAE)[7]).unlink()
    card = make_card(store)
    assert card.verdict_text.startswith("inconclusive so far")
    assert "7 of 8 seeds so far" in card.verdict.because
    by_data = {part.effect.data: part for part in card.verdict.judged}
    assert by_data["digits"].outcome == "inconclusive"
    assert by_data["digits"].seeds_so_far == "7 of 8 seeds so far"
    assert by_data["digits"].estimate.low is not None, "provisional numbers are shown"
    assert by_data["fashion_mnist"].outcome == "supported"


def test_a_seed_that_failed_was_tried(store):
    spec = specs_of(VAE)[7]
    record = store.read(spec)
    store.write(record.model_copy(update={"status": "diverged", "metrics": []}))
    assert find_tried(ClaimEvidence(CLAIMS.get("vae_blur"), store), VAE, ["sharpness"]) == {
        *range(8)
    }
    assert not make_card(store).missing
    store.write(record.model_copy(update={"metrics": []}))
    assert make_card(store).verdict.by_data["digits"] == "inconclusive", "it was not measured"


def test_fewer_seeds_than_planned_are_no_look(store):
    for n in (6, 7):
        card = make_card(store, seeds=n)
        assert (card.verdict.outcome, card.provisional) == ("inconclusive", True)
        assert card.verdict_text.startswith("inconclusive so far")
        assert f"{n} of 8 seeds so far" in card.verdict.because
    assert make_card(store, seeds=8).verdict.outcome == "supported"
    words = ["claims", "vae-blur", "-o", str(store.root), "--seeds", "6", "--no-run"]
    said = CliRunner().invoke(cli, words)
    assert (said.exit_code, "6 of 8 seeds so far" in said.output) == (0, True)


def test_seeds_of_an_experiment_are_tried_whether_an_event_came_or_not(tmp_path, monkeypatch):
    claim = Claim(
        "planted",
        lambda evidence: [Effect("x", evidence.measured("x"), 0.0)],
        *("s.", "x", "y"),
        experiment=lambda rng: {"x": rng.normal(1)[:, 0].tolist()},
    )
    monkeypatch.setitem(CLAIMS._objects, "planted", claim)

    def judge(values, failures=()):
        columns = {"x": {seed: value for seed, value in enumerate(values)}}
        Trials(tmp_path).save(
            Trial(
                claim="planted",
                version=1,
                columns=columns,
                failures=dict.fromkeys(failures, "it broke off"),
            )
        )
        (card,) = make_cards(Store(tmp_path), ["planted"])
        return card.verdict.outcome, card.verdict.parts[0].effect.tried

    seven = [5.0 + 0.1 * k for k in range(7)]
    assert judge(seven) == ("inconclusive", frozenset(range(7)))
    assert judge([*seven, None]) == ("supported", frozenset(range(8)))
    assert judge(seven, failures=[7]) == ("supported", frozenset(range(8)))


def test_what_cannot_be_traced_waits_for_all_of_its_data_set(store, monkeypatch):
    claim = CLAIMS.get("vae_blur")

    def refuse(_):
        raise ValueError("made-up numbers make no sense")

    monkeypatch.setattr("genbench.running.tried_seeds.find_dependences", refuse)
    store.path(specs_of(VAE)[7]).unlink()
    evidence = ClaimEvidence(claim, store)
    (effects,) = mark_tried(evidence, {"": evidence.effects()}).values()
    assert {(effect.data, len(effect.tried_seeds)) for effect in effects} == {
        ("digits", 7),
        ("fashion_mnist", 8),
    }


RUN = Run("gan", "ring", ("mmd",), {"hidden": [8]}, 8, 10, 8, samples=100)


def sixteen(rng, *, steps: int = 1):
    return {"x": [seed / 100 for seed in rng.seeds]}


def two_sizes(evidence):
    """A part of eight seeds' cells, and one of an experiment of sixteen."""
    return [
        Effect("cells", evidence.scores(RUN, "mmd"), 1.0),
        Effect("measured", evidence.measured("x"), 0.0),
    ]


def test_a_part_of_fewer_seeds_has_its_own_looks_and_stays_decided(tmp_path):
    about = dict.fromkeys(("statement", "source", "why"), "x")
    exempt = {("ring", "mmd"): "planted"}
    claim = Claim(
        "two_sizes",
        two_sizes,
        experiment=sixteen,
        seeds=16,
        runs=(RUN,),
        null_exemptions=exempt,
        by_metric=lambda evidence: {"again": two_sizes(evidence)},
        **about,
    )
    store = Store(tmp_path)
    values = [*(2 + seed / 100 for seed in range(8)), *(seed / 100 for seed in range(24))]
    for seeds, planned in ((16, None), (32, 32)):
        scale = Scale(seeds=planned)
        write(store, RUN, scale, noise=0.0, mmd=values)
        evidence = ClaimEvidence(claim, store, scale)
        make_trial(evidence, range(seeds))
        card = Card(claim, Store(tmp_path), scale)
        cells, measured = card.verdict.parts
        assert (cells.outcome, cells.decided_at) == ("supported", 8)
        assert (cells.effect.planned, measured.effect.planned) == (8, None)
        assert cells.effect.tried == frozenset(range(planned or 8))
        (again,) = card.metrics
        assert again.verdict.parts[0].outcome == "supported"
