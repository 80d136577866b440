"""Kernels for the maximum mean discrepancy: sums over all pairs, over a few, and whole matrices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from genbench.core.errors import DataError, SpecError
from genbench.metrics import _cubic, _fourier, _tiles
from genbench.metrics._median import median_distance

Kind = Literal["rbf", "linear", "rational_quadratic", "polynomial"]
KINDS = ("rbf", "linear", "rational_quadratic", "polynomial")
#: bandwidths of Gaussian kernels as multiples of the median distance
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
#: shapes of rational quadratic kernels
SHAPES = (0.2, 0.5, 1.0, 2.0, 5.0)
#: e^-138 = 1e-60: exp of less adds nothing to a sum, and costs 10 to 100 times as much
FLOOR = -138.0


@dataclass(frozen=True)
class Kernel:
    """A kernel with its width, a length; kernels of inner products have none."""

    kind: Kind
    width: float | None = None

    def sums(self, real: Tensor, fake: Tensor) -> tuple[float, float, float]:
        """Returns the sums over all pairs of real, of fake, and across; each point with itself too."""
        if self.kind == "linear":
            a, b = real.sum(dim=0), fake.sum(dim=0)
            return float(a @ a), float(b @ b), float(a @ b)
        if self.kind == "polynomial":
            within, other, across = _cubic.sums_of((_cubic.lift(real), _cubic.lift(fake))).tolist()
            return within, other, across
        width = self._width
        widths = [factor * width for factor in FACTORS]
        pairs = (len(real) + len(fake)) ** 2 / 2
        if self.kind == "rbf" and _fourier.seconds(real, fake, widths) < 6e-9 * pairs:
            within, other, across = _fourier.sums(real, fake, widths).tolist()
            return within, other, across
        # distances in units where the widest Gaussian's exponent is the squared distance itself
        scale = math.sqrt(0.5) / (FACTORS[-1] * width if self.kind == "rbf" else width)
        (a_left, a_right), (b_left, b_right) = (
            _tiles.square_factors(x * scale) for x in (real, fake)
        )
        return (
            self._tiled(a_left, a_right, symmetric=True),
            self._tiled(b_left, b_right, symmetric=True),
            self._tiled(a_left, b_right, symmetric=False),
        )

    def own(self, x: Tensor) -> float:
        """Returns the sum over points of the kernel between each and itself."""
        return float(self.of_pairs(x, x).sum())

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns k(x_i, y_i), shape (N,), for points (N, D) and (N, D)."""
        if self.kind in ("linear", "polynomial"):
            return self._of_products((x * y).sum(dim=1), x.shape[1])
        return self._of_squares((x - y).square().sum(dim=1))

    def matrix(self, x: Tensor) -> Tensor:
        """Returns k(x_i, x_j), shape (N, N)."""
        if self.kind in ("linear", "polynomial"):
            return self._of_products(x @ x.T, x.shape[1])
        left, right = _tiles.square_factors(x)
        return self._of_squares((left @ right.T).clamp_min_(0))

    @property
    def _width(self) -> float:
        if self.width is None:
            raise SpecError(f"the {self.kind} kernel needs a width, got none; give one")
        return self.width

    def _of_products(self, products: Tensor, size: int) -> Tensor:
        return products if self.kind == "linear" else (products / size + 1).pow(3)

    def _of_squares(self, squares: Tensor) -> Tensor:
        halves = squares / (2 * self._width**2)
        if self.kind == "rational_quadratic":
            parts = [(-a * (halves / a).log1p_()).exp_() for a in SHAPES]
            return torch.stack(parts).mean(dim=0)
        values = (halves / -(FACTORS[-1] ** 2)).clamp_min_(FLOOR).exp_()
        total = values.clone()
        for _ in FACTORS[1:]:
            total += values.clamp_min_(1e-60).square_().square_()
        return total / len(FACTORS)

    def _tiled(self, left: Tensor, right: Tensor, *, symmetric: bool) -> float:
        total = 0.0
        summed = _gaussians if self.kind == "rbf" else _rational_quadratics
        for row, column, tile in _tiles.products(left, right, symmetric=symmetric):
            total += summed(tile) * (2 if symmetric and column > row else 1)
        return total


def choose(who: str, kind: Kind, real: Tensor) -> Kernel:
    """Returns a kernel whose width is the median distance between real points.

    Raises:
        SpecError: If there is no such kind.
        DataError: If the median distance is 0.
    """
    if kind not in KINDS:
        raise SpecError(
            f"{who} needs a kernel of {', '.join(KINDS)}, got {kind!r}; the usual is rbf"
        )
    if kind in ("linear", "polynomial"):
        return Kernel(kind)
    width = median_distance(real)
    if width == 0:
        raise DataError(
            f"{who} needs real points of which most differ, got {len(real)} with a median distance of "
            f"0; compare them in another feature space"
        )
    return Kernel(kind, width)


def _gaussians(halves: Tensor) -> float:
    """The sum over a tile of the mean of the kernels, from |x - y|^2 / 2 (4 w)^2; overwrites it.

    One exponential serves the widest kernel; halving a bandwidth raises it to the fourth power. Small
    values are held at 1e-60, far below any sum's rounding, since subnormal numbers are slow.
    """
    values = halves.neg_().clamp_(FLOOR, 0).exp_()
    total = values.sum()
    for _ in FACTORS[1:]:
        values.clamp_min_(1e-60).square_().square_()
        total += values.sum()
    return float(total) / len(FACTORS)


def _rational_quadratics(halves: Tensor) -> float:
    """The sum over a tile of the mean of the kernels, from |x - y|^2 / 2 w^2; overwrites it."""
    halves.clamp_min_(0)
    total = sum(float((halves / a).log1p_().mul_(-a).exp_().sum()) for a in SHAPES)
    return total / len(SHAPES)
