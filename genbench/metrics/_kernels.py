"""Kernels for the maximum mean discrepancy: sums over all pairs, over a few, and whole matrices."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from genbench.core.errors import DataError, SpecError
from genbench.metrics import _cubic, _fourier
from genbench.metrics._median import median_of
from genbench.points.pairwise import Cloud, Look, Steps

Kind = Literal["rbf", "linear", "rational_quadratic", "polynomial"]
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

    def sums(self, real: Cloud, fake: Cloud) -> Steps[tuple[float, float, float]]:
        """Returns the sums over all pairs of real, of fake, and across; each point with itself too.

        Inner products of the linear kernel are those of centred points, of the polynomial one not.
        """
        if self.kind == "linear":
            a, b = (
                functools.reduce(Tensor.add_, (p.sum(0) for p in x.blocks())) for x in (real, fake)
            )
            return float(a @ a), float(b @ b), float(a @ b)
        if self.kind == "polynomial":
            within, other, across = (yield from _cubic.sums_of(real, fake)).tolist()
            return within, other, across
        widths = [factor * self._width for factor in FACTORS]
        pairs = (len(real) + len(fake)) ** 2 / 2
        if self.kind == "rbf" and real.size <= 2:
            flat = real.rows(0, len(real)), fake.rows(0, len(fake))
            if _fourier.seconds(*flat, widths) < 6e-9 * pairs:
                within, other, across = _fourier.sums(*flat, widths).tolist()
                return within, other, across
        sums = [Sum(self, within) for within in (True, True, False)]
        sets = ((real, real), (fake, fake), (real, fake))
        yield [Look(x, y, part.see) for (x, y), part in zip(sets, sums, strict=True)]
        return sums[0].total, sums[1].total, sums[2].total

    def own(self, x: Cloud) -> float:
        """Returns the sum over points of the kernel between each and itself."""
        if self.kind == "linear":
            return float(x.norms.sum())
        if self.kind == "polynomial":
            return float(_cubic.squares(x).pow(3).sum())
        return float(len(x))

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Returns k(x_i, y_i), shape (N,), for points (N, D) and (N, D)."""
        if self.kind in ("linear", "polynomial"):
            return self._of_products((x * y).sum(dim=1), x.shape[1])
        return self._of_squares((x - y).square().sum(dim=1))

    def matrix(self, x: Tensor) -> Tensor:
        """Returns k(x_i, x_j), shape (N, N)."""
        if self.kind in ("linear", "polynomial"):
            return self._of_products(x @ x.T, x.shape[1])
        cloud = Cloud(x)
        rows, columns = cloud.left(0, len(x)), cloud.right(0, len(x))
        return self._of_squares((rows @ columns.T).clamp_min_(0))

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

    def of_tile(self, squares: Tensor) -> float:
        """Returns the sum of the kernel over a tile of squared distances, which it leaves as it is."""
        if self.kind == "rbf":
            # in units where the widest Gaussian's exponent is the squared distance itself
            return _gaussians(squares * (-0.5 / (FACTORS[-1] * self._width) ** 2))
        return _rational_quadratics(squares * (0.5 / self._width**2))


class Sum:
    """The sum of a kernel over all pairs of two sets, or of one with itself.

    Arguments:
        kernel: With a width.
        within: Whether both are one set, of which each pair is seen once.
    """

    def __init__(self, kernel: Kernel, within: bool) -> None:
        self.kernel, self.within, self.total = kernel, within, 0.0

    def see(self, row: int, column: int, tile: Tensor) -> None:
        """Looks at a tile."""
        self.total += self.kernel.of_tile(tile) * (2 if self.within and column > row else 1)


def choose(who: str, kind: Kind, real: Cloud) -> Steps[Kernel]:
    """Returns a kernel whose width is the median distance between real points.

    Raises:
        DataError: If the median distance is 0.
    """
    if kind in ("linear", "polynomial"):
        return Kernel(kind)
    width = yield from median_of(real)
    if width == 0:
        raise DataError(
            f"{who} needs real points of which most differ, got {len(real)} with a median distance of "
            f"0; compare them in another feature space"
        )
    return Kernel(kind, width)


def _gaussians(exponents: Tensor) -> float:
    """The sum over a tile of the mean of the kernels, from -|x - y|^2 / 2 (4 w)^2; overwrites it.

    One exponential serves the widest kernel; halving a bandwidth raises it to the fourth power. To each
    square 1e-60 is added in the same pass, far below any sum's rounding, since subnormal numbers are slow.
    """
    values = exponents.clamp_(FLOOR, 0).exp_()
    total, least = values.sum(), values.new_full((), 1e-60)
    for _ in FACTORS[1:]:
        torch.addcmul(least, values, values, out=values).mul_(values)
        total += values.sum()
    return float(total) / len(FACTORS)


def _rational_quadratics(halves: Tensor) -> float:
    """The sum over a tile of the mean of the kernels, from |x - y|^2 / 2 w^2; overwrites it."""
    halves.clamp_min_(0)
    total = sum(float((halves / a).log1p_().mul_(-a).exp_().sum()) for a in SHAPES)
    return total / len(SHAPES)
