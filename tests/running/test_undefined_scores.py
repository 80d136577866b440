"""Numbers that completed runs lack: the worst where the model is so bad that there is none, else absent."""

import math

import pytest
from claim_records import write

from genbench.core.claim import Claim, Run
from genbench.core.effect import Effect, map_values
from genbench.core.metric import METRICS, Column
from genbench.metrics.modes import NO_HIGH_QUALITY
from genbench.running.claim_cells import specs_of
from genbench.running.evidence import ClaimEvidence
from genbench.statistics.verdicts import judge
from genbench.store import Store

RUN = Run("gan", "ring", ("modes",), seeds=4, steps=10)


@pytest.mark.parametrize(
    ("reason", "lost"),
    [(NO_HIGH_QUALITY, {3: math.inf}), ("ring has no known modes", {}), ("reverse_kl is nan", {})],
)
def test_a_null_counts_as_the_worst_where_its_reason_says_so(tmp_path, reason, lost):
    store = Store(tmp_path)
    write(store, RUN, reverse_kl=[0.1, 0.2, 0.3, None], modes=8.0)
    record = store.read(specs_of(RUN)[3])
    metrics = [
        m.model_copy(update={"reason": reason}) if m.value is None else m for m in record.metrics
    ]
    store.write(record.model_copy(update={"metrics": metrics}))
    claim = Claim("planted", lambda evidence: [], "s.", "x", "y", runs=(RUN,))
    scores = ClaimEvidence(claim, store).scores(RUN, "reverse_kl")
    assert dict(scores) == {0: 0.1, 1: 0.2, 2: 0.3} | lost


def test_what_is_infinite_on_the_worse_side_is_the_worst():
    lower, higher, neither = (Column(side, "") for side in ("lower", "higher", "none"))
    assert lower.is_worst("fid is inf")
    assert higher.is_worst("recall is -inf")
    for column, reason in ((lower, "x is -inf"), (higher, "psnr is inf"), (neither, "c_t is inf")):
        assert not column.is_worst(reason)
    assert not lower.is_worst(None)


def test_columns_that_may_be_undefined_say_when():
    names = {
        name for name, m in METRICS.all().items() if any(c.worst_if for c in m.columns.values())
    }
    expected = {"answers_hit", "bound_gap", "effective_sample_cost", "kl_to_truth", "modes", "nll"}
    assert names == expected


def test_what_failed_where_no_side_is_worse_leaves_its_part_open(tmp_path):
    run = Run("vae", "digits", ("sharpness",), seeds=8, steps=10)
    store, claim = Store(tmp_path), Claim("planted", lambda e: [], "s.", "x", "y", runs=(run,))
    write(store, run, sharpness=[0.5 + 0.01 * k for k in range(8)])

    def read():
        scores = ClaimEvidence(claim, store).scores(run, "sharpness")
        below = Effect("sharpness", map_values(abs, scores), 0.9, wanted="below")
        return scores, judge([below])

    assert read()[1].outcome == "supported"
    record = store.read(specs_of(run)[2])
    failed = {"status": "diverged", "phase": "train", "reason": "NaN", "metrics": []}
    store.write(record.model_copy(update=failed))
    scores, verdict = read()
    assert (sorted(scores), scores.beyond) == ([0, 1, 3, 4, 5, 6, 7], {(2, -1), (2, 1)})
    assert verdict.outcome == "inconclusive"
    assert "seeds that failed have no value where no side is worse" in verdict.because
