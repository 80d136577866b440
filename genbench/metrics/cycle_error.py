"""Whether a source comes back from what was made of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Cyclic
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import ROWS, lacks, mean_score, squared_error

COLUMN = Column("lower", "RMSE", 0.0, "between sources and what comes back of their translations")


@metric(
    "cycle_error",
    view="model",
    columns={"cycle_error": COLUMN},
    needs=("cyclic",),
    paper="Zhu et al., 2017",
)
@torch.no_grad()
def cycle_error(trained: Trained, test: Tensor, *, rng: Rng, points: Several = 1000) -> Score:
    r"""Returns the root mean squared difference of sources from what comes back of their translations.

    .. math:: \sqrt{\frac{1}{N D} \sum_i \| F(G(s_i)) - s_i \|^2}

    It says that a translation loses nothing, not that it is right: a code that only the way back reads has
    none either.

    References:
        | Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al.,
        | 2017), equation 2, there with absolute differences; CycleGAN, a Master of Steganography (Chu et
        | al., 2017), for its limit

    Arguments:
        trained: A model that is Cyclic, of one seed, and its data set.
        test: Not used.
        rng: The model's own noise.
        points: How many test sources are looked at, the first ones, at least two.

    Returns:
        A root mean squared error in units of the sources, with its standard error to first order.
    """
    reason, source_data = lacks(trained, Cyclic, "cyclic"), trained.dataset.given
    if reason is not None or source_data is None:
        return Score(None, reason=reason or f"{trained.dataset.name} has no sources")
    model = trained.model
    assert isinstance(model, Cyclic)
    sources, parts = source_data.points("test")[:points], []
    for part in sources.split(ROWS):
        y = source_data.to_model(part.to(rng.device, rng.dtype).unsqueeze(0))
        back = model.back(model.translate(y, rng.fork("there")), rng.fork("back"))
        parts.append(source_data.to_data(back)[0].cpu())
    square = mean_score(squared_error(sources, torch.cat(parts)))
    value = math.sqrt(square.value or 0.0)
    return Score(value, (square.stderr or 0.0) / (2 * value) if value else 0.0)
