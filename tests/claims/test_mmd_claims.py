"""Discrepancies as a loss and as a criterion."""

import math
from typing import Any

import pytest
import scipy.stats
import torch
from claim_records import PlantedColumns, write

from genbench.claims import mmd_criterion, mmd_training
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.metric import METRICS
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.running.evidence import ClaimEvidence
from genbench.statistics.verdicts import judge
from genbench.store import Store


@pytest.mark.parametrize(
    ("linear", "rbf", "several", "learnt", "outcome"),
    [
        (900, 200, 150, 20, "supported"),
        (80, 100, 150, 200, "refuted"),
        (300, 100, 90, 120, "mixed"),
    ],
)
def test_mmd_training(tmp_path, linear, rbf, several, learnt, outcome):
    store = Store(tmp_path)
    fids = dict(zip(mmd_training.FIXED, (linear, rbf, several), strict=True))
    for name, fid in fids.items():
        write(store, mmd_training.FIXED[name], fid=fid, mmd=fid / 1e4, coverage=0.5)
    write(store, mmd_training.LEARNT, fid=learnt, mmd=0.001, coverage=0.5)
    write(store, mmd_training.GAN, fid=50, mmd=0.002, coverage=0.5)
    claim = ClaimEvidence(CLAIMS.get("mmd_training"), store)
    assert claim.missing() == {}
    assert judge(claim.effects()).outcome == outcome


def test_the_mean_solves_the_linear_kernels_game_and_no_other():
    spec, rng = DATASETS.get("ring")().spec, Rng([0])
    x = DATASETS.get("ring")().draw(64, rng.fork("data"))
    fake = x.mean(1, keepdim=True).expand_as(x)
    losses = {
        kernel: float(build("gmmn", spec, rng, {"kernel": kernel}).squared_mmd(x, fake))  # type: ignore[operator]
        for kernel in ("linear", "rbf", "multi")
    }
    assert losses["linear"] == pytest.approx(0, abs=1e-12)
    assert min(losses["rbf"], losses["multi"]) > 0.05


def test_feature_matching_is_the_linear_kernels_discrepancy_of_features():
    """Salimans et al., 2016, section 3.1: |E f(x) - E f(G(z))|^2, which is MMD^2 of k(a, b) = f(a) f(b)."""
    dataset, rng = DATASETS.get("digits")(), Rng([1000, 1001])
    model: Any = build("improved_gan", dataset.spec, rng).eval()
    x = dataset.to_model(dataset.points("train")[:40].expand(2, -1, -1, -1, -1), rng.fork("x"))
    loss = model.generator_loss(Batch(x), rng.fork("z"))
    real, fake = (model.read(y, rng)[1] for y in (x, model.sample(40, rng.fork("z"))))
    matching: Any = build("gmmn", dataset.spec, rng, {"kernel": "linear"})
    value = matching.squared_mmd(real.detach(), fake)
    size = fake.shape[-1]
    assert (size * loss).tolist() == pytest.approx(value.tolist(), rel=1e-5)
    metric = METRICS.get("mmd").function
    for k in range(2):
        pair = real[k].detach().double(), fake[k].detach().double()
        score = metric(*pair, rng=rng, kernel="linear", estimator="biased").value
        assert score == pytest.approx(float(value[k].detach()), rel=1e-4)
    weights = list(model.generator.parameters())
    ours, theirs = (torch.autograd.grad(v.sum(), weights) for v in (size * loss, value))
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-6)


def plant_curves(slope):
    """Curves of eight seeds on which the discrepancy follows the quality, or its contrary."""
    rng = Rng(range(8))
    true = torch.linspace(2, 1, 20, dtype=torch.float64) + 0.02 * rng.fork("noise").normal(20)
    return mmd_criterion.summarise(slope * true + 0.06 * rng.fork("error").normal(20), true)


@pytest.mark.parametrize(("slope", "outcome"), [(1, "supported"), (-1, "refuted")])
def test_mmd_criterion(slope, outcome):
    rows = {key: row.tolist() for key, row in plant_curves(slope).items()}
    heads = [f"{name}{kind}" for name in mmd_criterion.QUALITY for kind in ("", "_fixed")]
    columns = {f"{head}_{key}": v for head in heads for key, v in rows.items()}
    columns |= {f"{name}_width": [0.0] * 8 for name in mmd_criterion.QUALITY}
    assert judge(CLAIMS.get("mmd_criterion").function(PlantedColumns(columns))).outcome == outcome


def test_a_summary_is_what_ranks_and_choices_say():
    a, b = Rng([0, 1]).normal(12), Rng([2, 3]).normal(12).exp()
    summary = mmd_criterion.summarise(a, b)
    correlate: Any = scipy.stats.spearmanr
    by_scipy = [float(correlate(x, y)[0]) for x, y in zip(a, b, strict=True)]
    assert summary["rank"].tolist() == pytest.approx(by_scipy)
    k = int(a[0].argmin())
    assert float(summary["over_last"][0]) == pytest.approx(math.log(b[0, k] / b[0, -1]), abs=1e-6)
    assert float(summary["chosen"][0]) == pytest.approx((k + 1) / 12)
    assert float(summary["over_best"].min()) >= 0


def test_a_seed_that_diverges_has_the_worst_correlation_and_is_not_chosen():
    a, b = torch.arange(4.0).unsqueeze(0), torch.ones(1, 4)
    a[0, 3] = b[0, 3] = math.inf
    summary = mmd_criterion.summarise(a, b)
    assert summary["rank"][0] == -math.inf
    assert float(summary["chosen"][0]) == 0.25


def test_curves_of_a_seed_are_its_own():
    both = mmd_criterion.train_and_measure("ring", 20, 2, Rng([3, 4]))
    again, alone = (mmd_criterion.train_and_measure("ring", 20, 2, Rng([3])) for _ in range(2))
    assert set(both) == {"mmd", "quality", "chosen", "width"}
    for key in ("mmd", "quality"):
        stacked, first, second = both[key], again[key], alone[key]
        assert torch.equal(first, second)
        assert stacked[:1].tolist() == [pytest.approx(row, rel=0.02) for row in first.tolist()]
        assert not torch.equal(stacked[0], stacked[1])
