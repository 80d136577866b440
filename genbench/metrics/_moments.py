"""Eigenvalues and traces of roots, by LAPACK's routines for symmetric matrices."""

from __future__ import annotations

from typing import Any

import torch
from scipy import linalg
from torch import Tensor

from genbench.points.moments import LARGE, add_outer, blas, mirror

__all__ = ["LARGE", "add_outer", "eigenvalues", "mirror", "trace_norm"]

#: wrappers of Fortran, whose names no type checker knows
lapack: Any = linalg.lapack
#: smaller squares of singular values, of the largest, cannot be distinguished from rounding well enough
CLEAR = 1e-8


def eigenvalues(first: Tensor, second: Tensor) -> Tensor | None:
    """Returns those of L' B L, ascending, for symmetric A = L L' and B; None where A has no factor.

    Arguments:
        first: A, shape (F, F), float64.
        second: B, likewise.
    """
    if first.is_cuda or len(first) < LARGE:
        factor, failed = torch.linalg.cholesky_ex(first)
        if failed != 0:
            return None
        inner = factor.T @ second @ factor
        return torch.linalg.eigvalsh((inner + inner.T) / 2)
    factor, failed = lapack.dpotrf(first.numpy().T, lower=1)
    if failed != 0:
        return None
    inner, _ = lapack.dsygst(second.numpy().T, factor, itype=2, lower=1)
    return torch.from_numpy(
        linalg.eigvalsh(inner, lower=True, overwrite_a=True, check_finite=False)
    )


def trace_norm(cross: Tensor) -> Tensor:
    """Returns the sum of the singular values of a product X Y' whose smaller side is centred, float64.

    One singular value is zero, then. Where no other is small, they are roots of eigenvalues of the
    smaller square, at half the time; else squaring would lose half the digits of the small ones.

    Arguments:
        cross: Shape (N, M).
    """
    if cross.is_cuda or min(cross.shape) < LARGE:
        return torch.linalg.svdvals(cross).sum()
    wide = cross if cross.shape[0] <= cross.shape[1] else cross.T.contiguous()
    square = blas.dsyrk(1.0, wide.numpy().T, trans=1, lower=1)
    values = linalg.eigvalsh(square, lower=True, overwrite_a=True, check_finite=False)
    if values[1] > CLEAR * values[-1]:
        return torch.from_numpy(values[1:]).sqrt().sum()
    return torch.linalg.svdvals(cross).sum()
