"""The claim on latent dimensions: parts against closed forms, a tiny run, planted evidence."""

import math
from typing import Any

import pytest
import torch
from claim_records import outcome
from torch import nn

from genbench.claims import latent_dimension_free as latents
from genbench.core.model import build
from genbench.core.rng import Rng


@pytest.mark.parametrize("std", [0.3, 0.01])
def test_the_noisy_circles_entropy_is_that_of_its_draws(std):
    circle = latents.NoisyCircle(std)
    r = circle.draw(100_000, Rng([0], dtype=torch.float64)).norm(dim=-1)
    log_p = torch.special.i0e(r / std**2).log() - (r - 1).square() / (2 * std**2)
    expected = -float(log_p.mean()) + math.log(2 * math.pi * std**2)
    assert circle.entropy() == pytest.approx(expected, abs=0.01)
    thin = math.log(2 * math.pi) + 0.5 * math.log(2 * math.pi * math.e * std**2)
    assert circle.entropy() == pytest.approx(thin, abs=2 * std**2)


def test_a_flows_jacobian_has_its_log_determinant():
    rng = Rng([0, 1])
    model: Any = build("realnvp", latents.NoisyCircle(0.1).spec, rng, {"layers": 4})
    for p in model.parameters():
        nn.init.constant_(p, 0.05)
    x = rng.normal(5, 2)
    log_det = model.forward(x)[1]
    expected = torch.linalg.slogdet(latents.jacobian(model, x)).logabsdet
    torch.testing.assert_close(expected, log_det, rtol=1e-4, atol=1e-5)


def test_latents_run_at_every_dimension():
    columns = latents.experiment(Rng([0, 1]), rounds=2, batch=8, flow_rounds=2, samples=100)
    assert len(columns) == 2 * 5 + 4 + 5 * 4
    assert all(math.isfinite(v) for row in columns.values() for v in row)


@pytest.mark.parametrize(
    ("square", "rise", "expected"), [(0.01, 2.5, "supported"), (0.2, 0.0, "refuted")]
)
def test_latent_dimension_free(square, rise, expected):
    values = {f"{name}_gaussian": 0.1 for name in latents.DATA}
    values |= {"flow_condition_0.3": 0.4, "flow_condition_0.01": 0.4 + rise}
    values |= {"flow_log_det_0.3": 1.0, "flow_log_det_0.01": 1.0 + rise}
    values |= {f"off_{k}": 0.5 - 0.1 * rise for k in latents.DIMENSIONS} | {"flow_off_0": 0.5}
    assert outcome("latent_dimension_free", lambda c: values.get(c, square)) == expected
