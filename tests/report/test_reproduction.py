"""Claims as two folders have them: planted verdicts, and how many values are the same."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from claim_records import write
from click.testing import CliRunner

from genbench.claims import conditioning, vae_blur
from genbench.cli import cli
from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect
from genbench.report.cards import Card, make_cards
from genbench.report.reproduction import Reproduction, compare_folders
from genbench.running.scale import Scale
from genbench.statistics.verdicts import judge
from genbench.store import Store
from genbench.store.trial import Trial, Trials


def blur(folder, vae, scale=None):
    store = Store(folder)
    for run in (vae_blur.VAE, vae_blur.DRAWS):
        write(store, run, scale, sharpness=vae, high_frequency=vae)
    for run in vae_blur.GANS.values():
        write(store, run, scale, sharpness=1.0)
    return folder


def steered(folder, share):
    store = Store(folder)
    for run in conditioning.LABELLED.values():
        write(store, run, class_accuracy=share, fid=30)
    write(store, conditioning.PLAIN, fid=60)
    write(store, conditioning.INFOGAN, category_accuracy=0.6)
    return folder


def held(here, there, name="vae_blur", scale=None):
    (found,) = compare_folders(make_cards(Store(here), [name], scale or Scale()), there)
    return found


def test_the_same_values_are_counted(tmp_path):
    found = held(blur(tmp_path / "a", 0.6), blur(tmp_path / "b", 0.6))
    same, both = found.values
    assert (found.comparison, found.changed_parts) == ("same", [])
    assert same == both > 8
    store = Store(tmp_path / "b")
    write(store, vae_blur.VAE, noise=0.02, sharpness=0.6, high_frequency=0.6)
    found = held(tmp_path / "a", tmp_path / "b")
    assert found.comparison == "same"
    assert found.values[0] < both == found.values[1]


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (0.6, 1.2, "opposite"),
        (1.2, 0.6, "opposite"),
        (0.95, 0.6, "left open"),
        (0.6, 0.95, "decided"),
    ],
)
def test_what_is_said_elsewhere(tmp_path, here, there, said):
    found = held(blur(tmp_path / "a", here), blur(tmp_path / "b", there))
    assert found.comparison == said
    assert bool(found.changed_parts) == (said == "opposite")


def test_a_part_that_turns_is_opposite_though_both_are_not(tmp_path):
    found = held(steered(tmp_path / "a", 0.5), steered(tmp_path / "b", 0.97), "conditioning")
    assert (found.here.verdict.outcome, found.there.verdict.outcome) == ("mixed", "supported")
    assert found.comparison == "opposite"
    assert {(a.outcome, b.outcome) for a, b in found.changed_parts} == {("refuted", "supported")}


def test_what_one_folder_lacks(tmp_path):
    blur(tmp_path / "a", 0.6)
    (tmp_path / "none").mkdir()
    assert held(tmp_path / "a", tmp_path / "none").comparison == "new"
    assert held(tmp_path / "none", tmp_path / "a").comparison == "not measured"
    assert held(tmp_path / "none", tmp_path / "nor here").comparison == "in neither"


def test_a_quick_pass_is_held_against_the_whole_and_its_values_against_a_quick_one(tmp_path):
    quick = Scale("quick")
    here, there = blur(tmp_path / "a", 0.95, quick), blur(tmp_path / "b", 0.6)
    found = held(here, there, scale=quick)
    assert (found.comparison, found.values) == ("left open", (0, 0))
    found = held(blur(here, 0.6), blur(there, 0.95, quick), scale=quick)
    assert found.values[0] == found.values[1] > 0


def test_other_effects_are_matched_by_name(tmp_path, monkeypatch):
    claim, store = CLAIMS.get("vae_blur"), Store(blur(tmp_path, 0.6))
    ours, theirs = Card(claim, store), Card(claim, store)
    monkeypatch.setitem(
        theirs.__dict__,
        "gated_effects",
        replace(theirs.gated_effects, rows={"": theirs.effects[1:]}),
    )
    found = Reproduction(ours, ours, theirs).values
    assert found[0] == found[1] == sum(len(effect.values) for effect in ours.effects[1:])


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Registers a claim of an experiment; writes folders in which 16 seeds decide it and eight do not."""
    claim = Claim(
        "planted",
        lambda evidence: [Effect("x", evidence.measured("x"), 0.0)],
        *("s.", "x", "y"),
        experiment=lambda rng: {"x": rng.normal(1)[:, 0].tolist()},
    )
    monkeypatch.setitem(CLAIMS._objects, "planted", claim)

    def call(name, mean, seeds=16):
        values = {seed: mean + (-1) ** seed for seed in range(seeds)}
        options = Scale().options(claim)
        Trials(tmp_path / name).write(
            Trial(claim="planted", version=1, options=options, columns={"x": values})
        )
        return tmp_path / name

    return call


def test_a_folder_beside_itself_has_the_seeds_of_the_same_looks(plant):
    folder = plant("a", 1.0)
    (card,) = make_cards(Store(folder), ["planted"])
    (found,) = compare_folders([card], folder)
    assert card.verdict.parts[0].decided_at == 16
    assert found.there.verdict.outcome == found.alike.verdict.outcome == "supported"
    assert (found.comparison, found.values) == ("same", (16, 16))
    (fewer,) = make_cards(Store(plant("b", 1.0, 8)), ["planted"])
    (found,) = compare_folders([fewer], folder)
    assert (fewer.verdict.outcome, found.comparison) == ("inconclusive", "left open")


def test_what_later_looks_of_two_folders_contradict_is_an_error(plant):
    ours, theirs = plant("a", 1.0), plant("b", -1.0)
    cards = make_cards(Store(ours), ["planted"])
    (found,) = compare_folders(cards, theirs)
    assert (found.comparison, len(found.changed_parts)) == ("opposite", 1)
    for folder, code in ((theirs, 1), (ours, 0)):
        words = ["claims", "planted", "-o", str(ours), "--against", str(folder)]
        assert CliRunner().invoke(cli, words).exit_code == code


def two_parts(data=("ring", "grid")):
    runs = [Run("gan", name, ("mmd",), {"hidden": [8]}, 8, 10, 8, samples=100) for name in data]

    def effects(evidence):
        return [
            Effect(f"on {r.dataset}", evidence.scores(r, "mmd"), 1.0, data=r.dataset) for r in runs
        ]

    exempt = {(name, "mmd"): "planted" for name in data}
    about = dict.fromkeys(("statement", "source", "why"), "x")
    return Claim("two_parts", effects, runs=tuple(runs), null_exemptions=exempt, **about)


def test_a_part_that_the_other_folder_alone_has_is_no_reproduction(tmp_path):
    claim = two_parts()
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    for store, runs in ((one, claim.runs[:1]), (other, claim.runs)):
        for run in runs:
            write(store, run, mmd=2.0)
    cards = [Card(claim, store) for store in (one, other)]
    part = Reproduction(cards[0], cards[1], cards[1])
    assert (part.comparison, part.failed, part.unmeasured_parts) == (
        "not in full",
        True,
        ["on grid"],
    )
    assert part.row["not_measured"] == ["on grid"]
    whole = Reproduction(cards[1], cards[0], cards[0])
    assert (whole.failed, whole.unmeasured_parts) == (False, [])


def test_parts_are_matched_though_one_folder_has_more_to_judge(tmp_path):
    """A check that broke is judged in one folder alone, and names of contests hold the winner."""

    def make(checked, ours, name):
        check = Effect("check", dict.fromkeys(range(8), checked), 0.5, by_definition=True)
        best = Effect(f"best ({name})", {seed: ours + seed / 100 for seed in range(8)}, 1.0)
        return SimpleNamespace(verdict=judge([check, best]), known=True)

    sound, broken = make(1.0, 2.0, "x against t"), make(0.0, 0.0, "y against t")
    found = Reproduction(broken, sound, sound)
    assert found.comparison == "opposite"
    assert [(a.effect.name, a.outcome, b.outcome) for a, b in found.changed_parts] == [
        ("best (y against t)", "refuted", "supported"),
    ]


def test_files_of_the_other_folder_that_cannot_be_read_are_named(tmp_path):
    blur(tmp_path / "a", 0.6)
    trials = tmp_path / "b" / "claims"
    trials.mkdir(parents=True)
    (trials / "vae-blur-0123456789ab.json").write_text('{"broken":')
    folders = ("-o", str(tmp_path / "a"), "--against", str(tmp_path / "b"))
    done = CliRunner().invoke(cli, ["claims", "vae-blur", *folders])
    assert done.exit_code == 3
    assert "not read" in done.output
