"""What a plugin must not hide from training: pairs where there are to be none, and networks in its loss."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import ContractError
from genbench.core.model import Model
from genbench.nn.frozen import Frozen


def draw_halves(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Returns the rows of points and of sources that unpaired training shows, of which none is common.

    Raises:
        ContractError: If the data set names a row twice, or rows that it does not have.
    """
    assert dataset.given is not None
    halves = dataset.unpaired_rows()
    counts = len(dataset.points("train")), len(dataset.given.points("train"))
    for what, rows, count in zip(("points", "sources"), halves, counts, strict=True):
        what = f"unpaired_rows' rows of {what}"
        fine = isinstance(rows, Tensor) and rows.dtype == torch.int64 and rows.dim() == 1
        if not fine or not len(rows) or int(rows.min()) < 0 or int(rows.max()) >= count:
            raise ContractError(
                f"data set {dataset.name!r}: {what} need to be some from 0 to {count - 1}, int64, shape "
                f"(N,), got others or none; return some rows of the training split"
            )
    common = int(torch.isin(halves[0], halves[1]).sum())
    if common:
        raise ContractError(
            f"data set {dataset.name!r}: unpaired_rows needs two sets of rows without a common one, got "
            f"{common} common; cut them"
        )
    return halves


def check_networks(model: Model) -> None:
    """Refuses a model that holds a trained network which `loss_networks` does not name.

    Raises:
        ContractError: If so; metrics that look through the network would judge the model.
    """
    for where, part in model.named_modules():
        if not isinstance(part, Frozen):
            continue
        known = part.extractor and part.extractor not in model.loss_networks
        if known or not model.loss_networks:
            raise ContractError(
                f"model {model.name!r}: loss_networks needs the extractor whose network is {where}, got "
                f"{', '.join(model.loss_networks) or 'none'}; set it to ({part.extractor or '…'!r},), so "
                f"that metrics that look through it do not judge the model"
            )
