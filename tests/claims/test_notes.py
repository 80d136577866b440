"""Numbers in the notes and threats on cards, compared with results/ and with second looks."""

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from claim_records import PlantedColumns

from genbench.claims import _augmentation as augmentation
from genbench.claims import (
    missing_pixels,
    mode_collapse,
    sample_quality,
    staged_generation,
    thin_manifold,
    tuning_budget,
)
from genbench.claims._cells import digits, toys
from genbench.core.claim import CLAIMS, Run
from genbench.core.effect import Effect, compare_best
from genbench.experiments import stability
from genbench.running.claim_cells import specs_of
from genbench.running.evidence import ClaimEvidence
from genbench.running.scale import Scale
from genbench.statistics.verdicts import judge
from genbench.store import Store

RESULTS = Path(__file__).parents[2] / "results"
REVIEWS = Path(__file__).parent / "reviews"


@pytest.fixture(scope="module")
def store():
    return Store(RESULTS)


def note(name):
    claim = CLAIMS.get(name)
    return " ".join([*claim.notes.values(), *claim.threats])


def read_review(name):
    """By column of a recorded second look, the mean over seeds."""
    columns = json.loads((REVIEWS / f"{name}.json").read_text())["columns"]
    return {column: fmean(values.values()) for column, values in columns.items()}


def short(value, digits=2):
    """A share as notes write it: .13."""
    return f"{value:.{digits}f}".lstrip("0")


def test_augmentation(store):
    content, text = (REVIEWS / "augmentation.json").read_text(), note("augmentation")
    columns = {
        n: {int(s): v for s, v in c.items()} for n, c in json.loads(content)["columns"].items()
    }
    costs = {}
    for count in (5, 10, 20, 40):
        named = {name: columns[f"{count} digits: {name}"] for name in augmentation.GANS}
        alone = {"alone": columns[f"{count} digits: {augmentation.ALONE}"]}
        gain = compare_best(named, alone, "higher")
        (part,) = judge([Effect("gain", gain.values, augmentation.BAR, contest=gain)]).parts
        assert (part.outcome, len(gain.values)) == ("refuted", 32)
        assert part.estimate.high < augmentation.BAR
        costs[count] = f"{-100 * part.estimate.mean:.1f}"
    assert (
        f"cost {costs[5]} points of accuracy with 5 digits of each class, {costs[10]} with 10, "
        f"{costs[20]} with 20 and {costs[40]} with 40" in text
    )
    recorded = {
        scale: judge(
            ClaimEvidence(CLAIMS.get("augmentation"), store, Scale(scale)).effects()
        ).outcome
        for scale in ("half", "default", "double")
    }
    assert set(recorded.values()) == {"refuted"}


class Recorded:
    """Means over seeds of a claim's measurements in results/."""

    def __init__(self, name, store, scale="default"):
        self.claim = ClaimEvidence(CLAIMS.get(name), store, Scale(scale))

    def __call__(self, run, column):
        return fmean(self.claim.scores(run, column).values())


def test_latent_arithmetic():
    review, text = read_review("arithmetic"), note("latent_arithmetic")

    def sums(model):
        shares = [review[f"{model}: {a}, sum"] for a in ("stroke width", "slant")]
        return [short(share) for share in shares]

    width, slant = sums("r1_gan")
    assert f"sums solve {width} of the tasks of stroke width and {slant} of slant with R1" in text
    for model, title in {"wgan_gp": "WGAN-GP", "hinge_sn": "a hinge loss"}.items():
        assert "{} and {} with {}".format(*sums(model), title) in text
    assert "{} and {} with the plain game".format(*sums("gan")) in text
    assert "and {} and {} with the VAE".format(*sums("vae")) in text
    chance = [value for column, value in review.items() if column.endswith("random")]
    assert f"random steps solve {short(min(chance))} to {short(max(chance))} with all" in text
    for attribute in ("stroke width", "slant"):
        shares = {
            name: review[f"{name}: {attribute}, sum"] for name in ("r1_gan", "wgan_gp", "vae")
        }
        assert max(shares, key=shares.get) == "vae"


def test_missing_pixels(store):
    review, text = read_review("cells"), note("missing_pixels")
    recorded = Recorded("missing_pixels", store)

    def guess(run):
        return short(recorded(run, "inpainting") - recorded(run, "inpainting_spread"), 3)

    def look(name):
        error = review[f"{name}: inpainting"] - review[f"{name}: inpainting_spread"]
        return short(error, 3)

    def find(*words):
        (name,) = {
            key.split(": ")[0]
            for key in review
            if key.startswith("bigan(") and all(word in key for word in words)
        }
        return name

    bigan = guess(missing_pixels.INVERSES["bigan"])
    longer = look(find("latent=16", "16000 rounds"))
    assert f"from {bigan} to {longer}, codes of 64 numbers to" in text
    assert f"numbers to {look(find('latent=64', ' 4000 rounds'))}" in text
    gans = sorted(map(guess, missing_pixels.GANS.values()))
    blind = short(recorded(missing_pixels.GANS["gan"], "inpainting_mean"), 3)
    assert f"the training mean has {blind}, the search over a GAN's noise {gans[0]} to" in text
    assert f"to {gans[-1]} and the RBM {guess(missing_pixels.CHAINS['rbm'])}" in text
    assert f"ALI, whose codes are random, has {guess(missing_pixels.INVERSES['ali'])}" in text


def test_mode_collapse(store):
    review, text = read_review("cells"), note("mode_collapse")
    # the suite collapse, whose seeds are not the claim's
    cures = [replace(mode_collapse.HARD[name, "grid"], seeds=8) for name in mode_collapse.CURES]
    shares = [100 * stored(store, run, "high_quality") for run in cures]
    assert f"on the grid {min(shares):.0f} to {max(shares):.0f} % are good" in text
    uniform = toys("uniform", "grid", metrics=("modes",))
    assert f"uniform noise has {100 * stored(store, uniform, 'high_quality'):.0f} %" in text
    options = "discriminator_lr=0.0001, latent=256, pack=4"
    ring, grid = (f"pacgan({options}) on {mixture}, 16000 rounds" for mixture in ("ring", "grid"))
    loose, strict = (
        [review[f"{n}: {c}"] for n in (ring, grid)] for c in ("modes", "modes_strict")
    )
    assert (
        "{:.0f} modes of the ring and {:.0f} of the grid by the loose count".format(*loose) in text
    )
    assert f"and {strict[0]:.0f} and none by the strict one" in text
    assert round(strict[1]) == 0


def stored(store, run, column):
    """The mean of a column of cells that no claim reads."""
    records = [store.read(spec) for spec in specs_of(run)]
    return fmean(
        row.value
        for record in records
        for row in record.metrics
        if (row.id, row.split) == (column, "test")
    )


def test_sample_quality(store):
    text, recorded = note("sample_quality"), Recorded("sample_quality", store)
    chains = [sample_quality.OTHERS["rbm"], digits("gsn", metrics=sample_quality.METRICS)]
    precisions = [short(recorded(run, "precision")) for run in chains]
    real = short(stored(store, digits("resample", metrics=("prdc",)), "precision"))
    assert "RBM {} and GSN {} beside {} of real ones".format(*precisions, real) in text
    critic, pixel = sample_quality.GANS["wgan_gp"], sample_quality.OTHERS["pixelcnn"]
    recalls = [short(recorded(run, "recall")) for run in (chains[1], critic)]
    assert "recall {} for the GSN beside {} for WGAN-GP".format(*recalls) in text
    distances = [recorded(run, "fid") for run in (critic, pixel)]
    assert "WGAN-GP with {:.0f} against PixelCNN with {:.0f}".format(*distances) in text


def test_staged_generation(store):
    review, text = read_review("cells"), note("staged_generation")
    recorded = Recorded("staged_generation", store)
    rounds = staged_generation.ROUNDS["lapgan"]
    staged = recorded(staged_generation.STAGED["lapgan"], "fid")
    longer = review[f"lapgan(width=16) on digits, {rounds} rounds: fid"]
    once = recorded(staged_generation.ONE_SHOT["lapgan"], "fid")
    assert f"for {rounds:,} rounds" in text
    assert f"from {staged:.0f} to {longer:.0f}, where at once it is {once:.0f}" in text


def test_thin_manifold(store):
    review, text = read_review("cells"), note("thin_manifold")
    recorded = Recorded("thin_manifold", store)
    flow, critic, plain = (
        100 * recorded(thin_manifold.RUNS[name, "circle"], "off_manifold")
        for name in ("realnvp", "wgan_gp", "gan")
    )
    assert (
        f"{flow:.1f} % are off it, of WGAN-GP's {critic:.1f} %, of the plain game's {plain:.0f}"
        in text
    )
    hinge, r1 = (
        100 * review[f"{name} on circle, 6000 rounds: off_manifold"]
        for name in ("hinge_sn", "r1_gan")
    )
    assert f"{hinge:.0f} % with a hinge loss, {r1:.0f} % with R1" in text
    assert flow < min(critic, plain, hinge, r1)


def test_training_stability(store):
    text = note("training_stability")
    columns = json.loads((REVIEWS / "stability.json").read_text())["columns"]

    def columns_of(title):
        mine = {n.removeprefix(title): v for n, v in columns.items() if n.startswith(title)}
        return {name: list(row.values()) for name, row in mine.items()}

    rates = {}
    for title in ("tamed: ", "untamed: "):
        evidence = PlantedColumns(columns_of(title))
        rates[title] = stability.failures(evidence, "rbm")["any"]
    size = len(stability.GRID) * len(rates["tamed: "])
    failed = {title: round(fmean(row.values()) * size) for title, row in rates.items()}
    assert failed["tamed: "] == 0
    assert (
        f"{failed['untamed: ']} of {size} runs fail, {100 * failed['untamed: '] / size:.0f} %"
        in text
    )
    gan = fmean(
        stability.failures(ClaimEvidence(CLAIMS.get("training_stability"), store), "gan")[
            "any"
        ].values()
    )
    assert f"about as often as the GAN, {100 * gan:.0f} %" in text
    ratios = []
    for place in stability.GRID:
        name = f"{stability.column('rbm', *place)}_last"
        ratios.append(fmean(columns_of("untamed: ")[name]) / fmean(columns_of("tamed: ")[name]))
    count = {1: "one", 5: "five", 6: "six", 9: "nine", 10: "ten", 11: "eleven", 12: "twelve"}
    least, most = count[round(min(ratios))], count[round(max(ratios))]
    assert f"{least} to {most} times as large" in text


def test_any_generator(store):
    half = Recorded("any_generator", store, "half").claim
    share = half.claim.function(half)[0]
    value = short(fmean(share.values.values()), 3)
    assert f"({value} of the pairs)" in note("any_generator")
    assert judge([share]).outcome == "refuted"


def test_mmd_training(store):
    text = note("mmd_training")
    suite = Run("mmd_gan", "digits", ("fid",), steps=1500, batch=64)
    assert f"its FID is {stored(store, suite, 'fid'):.0f}" in text


def test_tuning_budget(store):
    measured = Recorded("tuning_budget", store).claim.measured
    last = {family: measured(f"ring_{family}_8") for family in tuning_budget.FAMILIES}
    counts = [sum(v <= tuning_budget.FINEST for v in row.values()) for row in last.values()]
    total = sum(map(len, last.values()))
    assert f"{sum(counts)} of {total} searches on the ring do, of two families" in note(
        "tuning_budget"
    )
    assert sum(count > 0 for count in counts) == 2
