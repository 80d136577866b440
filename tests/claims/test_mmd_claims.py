"""Discrepancies as what is trained and as what is watched."""

import pytest
from claim_records import write

from genbench.claims import mmd_training
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.harness.claims import Held
from genbench.report.judge import judge
from genbench.store import Store


@pytest.mark.parametrize(
    ("linear", "rbf", "several", "learnt", "outcome"),
    [
        (300, 100, 90, 40, "supported"),
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
    held = Held(CLAIMS.get("mmd_training"), store)
    assert held.missing() == {}
    assert judge(held.effects()).outcome == outcome


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
