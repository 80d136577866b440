"""The claims that read cells: verdicts on fabricated records, and whose cells they are."""

import math

import pytest
from claim_records import write

from genbench.claims import (
    conditioning,
    discrete_data,
    explicit_density,
    inverse_mapping,
    mode_collapse,
    sample_quality,
    semi_supervised,
    thin_manifold,
    vae_blur,
)
from genbench.claims._cells import move_to_fashion
from genbench.core.claim import CLAIMS
from genbench.running.evidence import ClaimEvidence
from genbench.statistics.verdicts import judge
from genbench.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def verdict(name, store):
    claim = ClaimEvidence(CLAIMS.get(name), store)
    assert claim.missing() == {}
    return judge(claim.effects())


def quality(store, gan, other, precision=(0.9, 0.7)):
    for k, (name, run) in enumerate(sample_quality.GANS.items()):
        fid = gan if name == "wgan_gp" else gan + 30 + k
        write(store, run, fid=fid, precision=precision[0] - 0.01 * k, recall=0.3)
    for k, run in enumerate(sample_quality.OTHERS.values()):
        write(store, run, fid=other + 20 * k, precision=precision[1] - 0.01 * k, recall=0.5)


@pytest.mark.parametrize(
    ("gan", "other", "precision", "outcome"),
    [
        (20, 40, (0.9, 0.7), "supported"),
        (40, 20, (0.7, 0.9), "refuted"),
        (20, 40, (0.7, 0.9), "mixed"),
        (20, 22.1, (0.9, 0.7), "inconclusive"),
    ],
)
def test_sample_quality(store, gan, other, precision, outcome):
    quality(store, gan, other, precision)
    result = verdict("sample_quality", store)
    assert result.outcome == outcome
    assert "(wgan_gp against vae)" in result.parts[0].effect.name
    assert not result.parts[2].effect.judged


@pytest.mark.parametrize(("off", "outcome"), [(0.1, "supported"), (0.7, "refuted")])
def test_thin_manifold(store, off, outcome):
    for (name, _), run in thin_manifold.RUNS.items():
        share = off if name in thin_manifold.GANS else 0.5
        write(store, run, off_manifold=share, coverage=0.9)
    assert verdict("thin_manifold", store).outcome == outcome


def modes(store, gan, cured, strict):
    def plant(run, loose, strict):
        # of a thousand modes fifty times as many, and what is filled less is filled less evenly
        times = 50 if run.dataset == mode_collapse.STACKS else 1
        about = {"modes_strict": times * strict, "reverse_kl": 0.05 * (21 - strict)}
        write(store, run, modes=times * loose, **about)

    for (name, _), run in mode_collapse.USUAL.items():
        count = gan if name == "gan" else 20.0
        plant(run, count, count)
    for (name, _), run in mode_collapse.HARD.items():
        plain = name == "plain"
        plant(run, 2.0 if plain else cured, 1.0 if plain else strict)


@pytest.mark.parametrize(
    ("gan", "cured", "strict", "outcome"),
    [
        (10.0, 18.0, 18.0, "supported"),
        # eight seeds without a mode leave room for one run in three that finds them all
        (20.0, 2.0, 1.0, "inconclusive"),
        # where modes are filled as unevenly as before, their number alone is better
        (10.0, 18.0, 1.0, "mixed"),
    ],
)
def test_mode_collapse(store, gan, cured, strict, outcome):
    modes(store, gan, cured, strict)
    assert verdict("mode_collapse", store).outcome == outcome


@pytest.mark.parametrize(("gan", "outcome"), [(0.2, "supported"), (0.01, "refuted")])
def test_discrete_data(store, gan, outcome):
    for (name, _), run in discrete_data.RUNS.items():
        js = gan if name in discrete_data.GANS else 0.05
        write(store, run, n_gram_js_4=js, n_gram_js_2=js / 2, nats_per_token=1 + js)
    assert verdict("discrete_data", store).outcome == outcome


@pytest.mark.parametrize(
    ("gain", "outcome"), [(0.08, "supported"), (-0.04, "refuted"), (0.0, "inconclusive")]
)
def test_semi_supervised(store, gain, outcome):
    for run in semi_supervised.BESIDE.values():
        write(store, run, accuracy=0.8)
    write(store, semi_supervised.ALONE, accuracy=0.85, noise=0.002)
    write(store, semi_supervised.GAN, accuracy=0.85 + gain, noise=0.002)
    assert verdict("semi_supervised", store).outcome == outcome


@pytest.mark.parametrize(
    ("random", "regressor", "error", "outcome"),
    [
        (0.7, 0.8, 0.02, "supported"),
        (0.95, 0.95, 0.1, "refuted"),
        (0.7, 0.95, 0.02, "mixed"),
        (0.7, 0.8, 0.08, "mixed"),
    ],
)
def test_inverse_mapping(store, random, regressor, error, outcome):
    for run in (inverse_mapping.BIGAN, inverse_mapping.ALI, inverse_mapping.VAE):
        errors = {"reconstruction": error, "reconstruction_shuffled": 0.2}
        write(store, run, code_accuracy=0.9, reconstruction_mean=0.07, **errors)
    write(store, inverse_mapping.RANDOM, code_accuracy=random)
    write(store, inverse_mapping.REGRESSOR, code_accuracy=regressor)
    assert verdict("inverse_mapping", store).outcome == outcome


@pytest.mark.parametrize(
    ("fid", "share", "outcome"),
    [(60, 0.97, "supported"), (20, 0.5, "refuted"), (20, 0.97, "mixed")],
)
def test_conditioning(store, fid, share, outcome):
    for run in conditioning.LABELLED.values():
        write(store, run, class_accuracy=share, fid=30)
    write(store, conditioning.PLAIN, fid=fid)
    write(store, conditioning.BARE, fid=100)
    write(store, conditioning.INFOGAN, category_accuracy=share - 0.3)
    assert verdict("conditioning", store).outcome == outcome


@pytest.mark.parametrize(("vae", "outcome"), [(0.6, "supported"), (2.5, "refuted")])
def test_vae_blur(store, vae, outcome):
    for run in (vae_blur.VAE, vae_blur.DRAWS):
        write(store, run, sharpness=vae, high_frequency=vae)
    for run in vae_blur.GANS.values():
        write(store, run, sharpness=1.0)
    assert verdict("vae_blur", store).outcome == outcome


def test_explicit_density(store):
    for run in explicit_density.GANS.values():
        write(store, run, parzen=100.0)
    for run in explicit_density.EXPLICIT.values():
        write(store, run, nll=110.0, parzen=105.0)
    write(store, explicit_density.MEMORY, parzen=120.0)
    result = verdict("explicit_density", store)
    assert result.outcome == "by definition"
    assert result.parts[-1].estimate.mean == pytest.approx(15, abs=2)


def test_runs_that_diverge_are_the_worst_and_are_counted(store):
    write(store, semi_supervised.GAN, status="diverged")
    claim = ClaimEvidence(CLAIMS.get("semi_supervised"), store)
    name, there = str(semi_supervised.GAN), "improved_gan on fashion_mnist"
    assert claim.failed() == {name: 10, there: 10}
    assert not {name, there} & set(claim.missing())
    assert claim.scores(semi_supervised.GAN, "accuracy") == dict.fromkeys(range(10), -math.inf)


def test_a_claim_says_what_each_data_set_does(store):
    """Where one data set is against it, and another for it, the whole is mixed and both are named."""
    for run, fid in [(run, 20) for run in sample_quality.GANS.values()] + [
        (run, 60) for run in sample_quality.OTHERS.values()
    ]:
        write(store, run, fid=fid, precision=1.0 - fid / 200, recall=0.3)
        there = move_to_fashion(run)
        write(store, there, fid=80 - fid, precision=0.6 + fid / 200, recall=0.3)
    result = verdict("sample_quality", store)
    assert result.by_data == {"digits": "supported", "fashion_mnist": "refuted"}
    assert result.outcome == "mixed"
    assert result.because.endswith("(supported on digits, refuted on fashion_mnist)")
    assert [p.effect.name.endswith(", on fashion_mnist") for p in result.parts] == (
        3 * [False] + 3 * [True]
    )
