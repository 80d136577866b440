"""How sharp images are beside true ones."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.points import memmap

COLUMNS = {
    "sharpness": Column(
        "none", "ratio", 1.0, "gradient energy over that of true images; < 1 is blurred"
    ),
    "high_frequency": Column(
        "none", "ratio", 1.0, "power above half the highest frequency, likewise"
    ),
}
#: a smaller share of an image's power is the transform's rounding
ROUNDING = 1e-26


@metric("sharpness", view="events", columns=COLUMNS, paper="Durall et al., 2020")
def sharpness(real: Tensor, fake: Tensor, *, rng: Rng) -> dict[str, Score]:
    r"""Returns the energy of differences of neighbouring pixels and of high frequencies, as ratios.

    .. math:: \frac{E |\nabla y|^2}{E |\nabla x|^2}, \qquad
        \frac{E \sum_{|f| > 1/4} |\hat y_f|^2}{E \sum_{|f| > 1/4} |\hat x_f|^2}

    Frequencies are in cycles a pixel and reach 1/2 along an axis. Below 1 images are blurred, above 1
    noisy: 1 is best, and it is the same whatever the scale of the pixels.

    References:
        | Watch your Up-Convolution: CNN Based Generative Deep Neural Networks are Failing to Reproduce
          Spectral Distributions (Durall et al., 2020), for power spectra as a yardstick

    Arguments:
        real: Held-out images, shape (N, C, H, W).
        fake: Generated images, shape (M, C, H, W).
        rng: Not used.

    Returns:
        Scores with standard errors over images; null for points that are no images, and where the true
        ones are constant or have nothing in high frequencies.
    """
    real, fake = _checks.events("sharpness", real, fake)
    reason = _checks.no_image(real)
    if reason:
        return {name: Score(None, reason=reason) for name in COLUMNS}
    return {
        "sharpness": _ratio(_gradient_energy(real), _gradient_energy(fake), "are constant"),
        "high_frequency": _ratio(_high_power(real), _high_power(fake), "have no such power"),
    }


def _ratio(real: Tensor, fake: Tensor, nothing: str) -> Score:
    """The ratio of means of two sets of numbers, its error to first order; null where true ones are 0."""
    if real.mean() <= 0:
        return Score(None, reason=f"the true images {nothing}")
    value = fake.mean() / real.mean()
    spread = [x.var() / len(x) / real.mean().square() for x in (fake, real)]
    error = (spread[0] + value.square() * spread[1]).sqrt()
    return Score(float(value), float(error))


def _gradient_energy(x: Tensor) -> Tensor:
    """The mean squared difference of neighbours down and across, one an image, shape (N,)."""
    parts = [
        part.diff(dim=2).square().mean(dim=(1, 2, 3))
        + part.diff(dim=3).square().mean(dim=(1, 2, 3))
        for part in memmap.blocks(x)
    ]
    return torch.cat(parts)


def _high_power(x: Tensor) -> Tensor:
    """The power at frequencies above a quarter of a cycle a pixel, one an image, shape (N,)."""
    down = torch.fft.fftfreq(x.shape[2], dtype=torch.float64, device=x.device).unsqueeze(1)
    across = torch.fft.fftfreq(x.shape[3], dtype=torch.float64, device=x.device)
    high = (down.square() + across.square()).sqrt() > 0.25
    parts = []
    for part in memmap.blocks(x):
        power = torch.fft.fft2(part, norm="ortho").abs().square()
        above = power[..., high].sum(dim=(1, 2))
        parts.append(above.where(above > ROUNDING * power.sum(dim=(1, 2, 3)), 0.0))
    return torch.cat(parts)
