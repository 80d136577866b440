"""Frechet distances class by class."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.errors import DataError
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.metrics import _checks
from genbench.metrics.fid import distance
from genbench.points import memmap

UNIT = "squared feature distance"
COLUMNS = {
    "intra_fid": Column("lower", UNIT, 0.0, "mean of the Frechet distances of each class"),
    "intra_fid_worst": Column(
        "lower", UNIT, 0.0, "the largest of them; its class in the protocol"
    ),
}
#: the fewest points with a covariance
LEAST = 2


@metric("intra_fid", view="labelled", columns=COLUMNS, paper="Miyato and Koyama, 2018", matrices=8)
def intra_fid(
    real: Tensor, fake: Tensor, real_labels: Tensor, fake_labels: Tensor, *, rng: Rng
) -> dict[str, Score]:
    r"""Returns the mean and the largest of the Frechet distances within each class.

    .. math:: \frac1{|C|} \sum_{c \in C} \mathrm{FID}(\{x_i: l_i = c\}, \{y_j: l_j = c\})

    It sees samples of a wrong class, and classes without diversity, that `fid` does not. Its bias is
    that of the few points of one class.

    References:
        | cGANs with Projection Discriminator (Miyato and Koyama, 2018), section 5.1

    Arguments:
        real: Held-out features, shape (N, F).
        fake: Generated features, shape (M, F).
        real_labels: The class of each, shape (N,).
        fake_labels: Likewise, shape (M,).
        rng: Not used.

    Returns:
        Scores, lower is better, over the classes of the real points; null where one of them has fewer
        than two points on a side.
    """
    real, fake = _checks.pair("intra_fid", real, fake)
    for x, labels in ((real, real_labels), (fake, fake_labels)):
        if labels.shape != (len(x),):
            raise DataError(
                f"intra_fid needs one label per point, got {tuple(labels.shape)} for {len(x)} points; "
                f"give labels of shape ({len(x)},)"
            )
    classes = real_labels.unique().tolist()
    places = {
        c: [(labels == c).nonzero().squeeze(1) for labels in (real_labels, fake_labels)]
        for c in classes
    }
    scarce = [c for c, rows in places.items() if min(map(len, rows)) < LEAST]
    if scarce:
        listed = ", ".join(str(c) for c in scarce[:5])
        reason = f"fewer than {LEAST} real or generated points of {len(scarce)} classes ({listed})"
        return dict.fromkeys(COLUMNS, Score(None, reason=reason))
    values = [
        distance("intra_fid", memmap.take(real, rows[0]), memmap.take(fake, rows[1]))
        for rows in places.values()
    ]
    worst = int(torch.tensor(values).argmax())
    protocol = {"classes": len(classes)}
    return {
        "intra_fid": Score(sum(values) / len(values), protocol=protocol),
        "intra_fid_worst": Score(values[worst], protocol={**protocol, "class": classes[worst]}),
    }
