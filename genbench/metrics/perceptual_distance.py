"""How far outputs are from true points for a trained network of photographs."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from genbench.core.allowed import whole
from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS, HiddenImages
from genbench.core.metric import Column, Score, metric
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.metrics._checks import no_grey_levels
from genbench.metrics._model import mean_score
from genbench.metrics._pairs import pairs

COLUMN = Column(
    "lower", "distance", 0.0, "squared, between hidden images of outputs and true points"
)
NETWORK = "efficientnet_lite0"
#: pairs that pass the network at once
ROWS = 250


@metric(
    "perceptual_distance",
    view="pairs",
    columns={"perceptual_distance": COLUMN},
    needs=("translator",),
    paper="Zhang et al., 2018",
    beside=("fid",),
    networks=(NETWORK,),
)
def perceptual_distance(
    source: Tensor,
    real: Tensor,
    fake: Tensor,
    truth: Truth | None,
    *,
    rng: Rng,
    side: Annotated[int, whole(16, 4096)] = 56,
) -> Score:
    """Returns the mean distance between hidden images of outputs and of their true points.

    The network is EfficientNet-Lite0 with ImageNet's weights, the distance that of
    `nn.perceptual.PerceptualNetwork`. Like PSNR it compares with one true point, so that of several right
    answers an average may be nearer than any: it is shown beside, with FID. A model that has the network
    in its loss is not judged by it.

    References:
        | The Unreasonable Effectiveness of Deep Features as a Perceptual Metric (Zhang et al., 2018)

    Differences: another network; no weights of channels, which the paper fits to people's judgements.

    Arguments:
        source: What the points were made from, shape (N, *source.event).
        real: Their true points, images (N, 1 or 3, H, W) in [0, 1].
        fake: What was made, of that shape.
        truth: Not used.
        rng: Not used.
        side: The height and width to which images are resized before.

    Returns:
        A distance >= 0, at most 4; null where points are no images, or without the network's weights.
    """
    real, fake = pairs("perceptual_distance", source, real, fake)
    reason = no_grey_levels(real, fake)
    if reason is None and real.shape[1] not in (1, 3):
        reason = f"images have {real.shape[1]} channels, the network takes 1 or 3"
    if reason is not None:
        return Score(None, reason=reason)
    try:
        extractor = EXTRACTORS.get(NETWORK)(None)
    except DataError as error:
        return Score(None, reason=str(error))
    assert isinstance(extractor, HiddenImages)
    network = extractor.perceptual_network(side=side).to(real.device)
    parts = []
    with torch.no_grad():
        for x, y in zip(real.split(ROWS), fake.split(ROWS), strict=True):
            one, two = (network(part.float()) for part in (x, y))
            parts.append((one - two).double().square().sum(1))
    score = mean_score(torch.cat(parts))
    facts = {
        "network": getattr(extractor, "protocol", NETWORK),
        "sha256": extractor.digest[:12],
        "taps": "-".join(map(str, extractor.taps)),
    }
    return Score(score.value, score.stderr, protocol=facts)
