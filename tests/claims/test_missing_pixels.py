"""Completions: verdicts on fabricated records."""

import math
from dataclasses import replace

import pytest
from claim_records import write

from genbench.claims import missing_pixels
from genbench.core.claim import CLAIMS
from genbench.running.claim_cells import specs_of
from genbench.running.evidence import ClaimEvidence
from genbench.statistics.verdicts import judge
from genbench.store import Store


def planted(store, gan, chain, bigan, spread=0.0):
    """Writes errors of single completions; those of chains and inverses have a spread."""
    for k, run in enumerate(missing_pixels.GANS.values()):
        error = gan * (1 + 0.3 * k)
        write(store, run, inpainting=error, inpainting_spread=0.0, inpainting_mean=0.08)
    for runs, error in (
        (missing_pixels.CHAINS, chain),
        (missing_pixels.INVERSES, bigan),
        (missing_pixels.VISIBLE, chain),
    ):
        for run in runs.values():
            write(store, run, inpainting=error, inpainting_spread=spread, inpainting_mean=0.08)


@pytest.mark.parametrize(
    ("gan", "chain", "bigan", "outcome"),
    [
        (0.09, 0.05, 0.05, "supported"),
        (0.04, 0.06, 0.07, "refuted"),
        (0.07, 0.05, 0.09, "mixed"),
    ],
)
def test_missing_pixels(tmp_path, gan, chain, bigan, outcome):
    store = Store(tmp_path)
    planted(store, gan, chain, bigan)
    claim = ClaimEvidence(CLAIMS.get("missing_pixels"), store)
    assert claim.missing() == {}
    verdict = judge(claim.effects())
    assert verdict.outcome == outcome
    assert "(rbm against gan)" in verdict.parts[0].effect.name


def test_an_exact_posterior_beats_a_guesser_that_errs_less_than_its_draws(tmp_path):
    """Draws of an exact posterior err by twice its variance, its mean by that variance alone."""
    store = Store(tmp_path)
    planted(store, gan=0.08, chain=0.1, bigan=0.1, spread=0.05)
    parts = judge(ClaimEvidence(CLAIMS.get("missing_pixels"), store).effects()).parts
    named = {p.effect.name: p for p in parts}
    mean = named["log error of the best GAN's mean completion over that of rbm (rbm against gan)"]
    single = named["the same of single completions, over rbm's (rbm against gan)"]
    assert mean.outcome == "supported"
    assert single.estimate.high is not None
    assert single.estimate.high < 0
    assert not single.effect.judged


def test_completions_of_seeds_that_failed_err_infinitely(tmp_path):
    """Their spread has no worse side, so that the difference alone would leave them out."""
    store = Store(tmp_path)
    planted(store, gan=0.08, chain=0.05, bigan=0.06)
    run, claim = missing_pixels.CHAINS["rbm"], CLAIMS.get("missing_pixels")
    record = store.read(specs_of(replace(run, first_seed=claim.first_seed))[0])
    failed = {"status": "diverged", "phase": "train", "reason": "NaN", "metrics": []}
    store.write(record.model_copy(update=failed))
    evidence = ClaimEvidence(claim, store)
    errors = missing_pixels.guess(evidence, run)
    assert errors[0] == math.inf
    assert len(errors) == 8
    assert not errors.beyond
    assert judge(evidence.effects()).parts[0].outcome == "inconclusive"
