"""Means and covariances of features: summed over points, and kept in files that other tools read."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from scipy import linalg
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.files import write_bytes
from genbench.points import memmap

#: wrappers of Fortran, whose names no type checker knows
blas: Any = linalg.blas
#: from this many dimensions on, routines that touch half a symmetric matrix pay for their calls
LARGE = 128
#: rows that are mirrored at once
ROWS = 256
#: the most features of statistics in a file
MOST = 1 << 14


@dataclass(frozen=True)
class Moments:
    """What is left of points where their distribution is taken for a Gaussian.

    Arguments:
        mean: Shape (F,), float64.
        covariance: Shape (F, F), float64, unbiased.
        count: Of how many points, or None where nobody says.
        features: The protocol of the extractor, or None where nobody says.
        label: Where they come from.
    """

    mean: Tensor
    covariance: Tensor
    count: int | None = None
    features: str | None = None
    label: str = ""

    @classmethod
    def of(cls, x: Tensor, features: str = "", label: str = "") -> Moments:
        """Returns the moments of points (N, F)."""
        return cls(*statistics(x), len(x), features, label)

    def write(self, path: Path) -> None:
        """Writes them as pytorch-fid and torch-fidelity's users know them: `mu`, `sigma`, and more.

        Raises:
            WriteError: If the file cannot be written.
        """
        buffer = io.BytesIO()
        numpy.savez(
            buffer,
            mu=self.mean.cpu().numpy(),
            sigma=self.covariance.cpu().numpy(),
            count=numpy.int64(self.count or 0),
            features=numpy.str_(self.features or ""),
        )
        write_bytes(path, buffer.getvalue())


def read_moments(arrays: Mapping[str, Any], label: str) -> Moments:
    """Returns the moments of a file that has arrays `mu` and `sigma`.

    Raises:
        DataError: If they are none.
    """
    mean, covariance = (numpy.asarray(arrays[key]) for key in ("mu", "sigma"))
    size = mean.shape[0] if mean.ndim == 1 else 0
    right = mean.dtype.kind == covariance.dtype.kind == "f" and 0 < size <= MOST
    if not right or covariance.shape != (size, size):
        raise DataError(
            f"{label} needs statistics mu (F,) and sigma (F, F) of floats, got {mean.shape} and "
            f"{covariance.shape}; save them anew by --save-stats"
        )
    mean, covariance = (torch.from_numpy(x.astype(numpy.float64)) for x in (mean, covariance))
    if not (mean.isfinite().all() and covariance.isfinite().all()):
        raise DataError(f"{label} holds statistics that are NaN or infinite; save them anew")
    scale = covariance.abs().max()
    if (covariance - covariance.T).abs().max() > 1e-4 * scale or covariance.diagonal().min() < 0:
        raise DataError(f"{label} needs a symmetric sigma with variances >= 0; save it anew")
    covariance = (covariance + covariance.T) / 2
    _refuse_impossible(covariance, label)
    count = int(arrays["count"]) if "count" in arrays and arrays["count"].ndim == 0 else 0
    features = str(arrays["features"]) if "features" in arrays else ""
    return Moments(mean, covariance, count if count > 0 else None, features or None, label)


def _refuse_impossible(covariance: Tensor, label: str) -> None:
    """Refuses a symmetric matrix that has a negative eigenvalue beyond what float32 rounds."""
    slack = 1e-4 * covariance.diagonal().max().clamp_min(torch.finfo(torch.float64).tiny)
    shifted = covariance + slack * torch.eye(len(covariance), dtype=torch.float64)
    if torch.linalg.cholesky_ex(shifted).info:
        raise DataError(
            f"{label} needs a sigma that is a covariance, got one with negative eigenvalues; save it anew"
        )


def statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the mean (F,) and the unbiased covariance (F, F) of points (N, F), in float64."""
    mean = memmap.mean(x)
    cov = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
    for part in memmap.blocks(x):
        add_outer(cov, part - mean)
    return mean, mirror(cov).div_(len(x) - 1)


def add_outer(total: Tensor, x: Tensor) -> None:
    """Adds x'x to a total, float64; below its diagonal the total is not to be read until `mirror`.

    Arguments:
        total: Contiguous, shape (F, F).
        x: Contiguous, shape (N, F).
    """
    if total.is_cuda or len(total) < LARGE:
        total.addmm_(x.T, x)
        return
    # numpy's transposes are in the order of columns, which the routine takes and fills without a copy
    blas.dsyrk(1.0, x.numpy().T, beta=1.0, c=total.numpy().T, lower=1, overwrite_c=1)


def mirror(total: Tensor) -> Tensor:
    """Copies what is above the diagonal of a matrix (F, F) below it, in place; returns the matrix."""
    for start in range(0, len(total), ROWS):
        rows = slice(start, start + ROWS)
        total[rows, :start] = total[:start, rows].T
        corner = total[rows, rows]
        corner.copy_(corner.triu() + corner.triu(1).T)
    return total
