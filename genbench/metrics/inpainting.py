"""How well a model completes points of which half is hidden."""

from __future__ import annotations

import torch
from torch import Tensor

from genbench.core.allowed import Several
from genbench.core.metric import Column, Score, metric
from genbench.core.model import Inpainter
from genbench.core.rng import Rng
from genbench.core.trained import Trained
from genbench.metrics._model import ROWS, in_model_space, lacks, mean_score, nothing

UNIT = "squared error"
COLUMNS = {
    "inpainting": Column("lower", UNIT, None, "of completions, a hidden coordinate"),
    "inpainting_mean": Column(
        "none", UNIT, None, "of the training mean in the hidden coordinates, which sees nothing"
    ),
    "inpainting_spread": Column(
        "none", UNIT, None, "variance of a hidden coordinate over completions of one point"
    ),
}


@metric("inpainting", view="model", columns=COLUMNS, needs=("inpainter",))
def inpainting(
    trained: Trained, test: Tensor, *, rng: Rng, points: Several = 200, completions: Several = 4
) -> dict[str, Score]:
    r"""Returns the error of completions of held-out points whose second half is hidden.

    An image's lower half is hidden, or the second half of a vector's entries. With y_{ik} the k-th
    completion of x_i, in data space and over hidden entries:

    .. math:: \text{error} = \frac1{NK} \sum_{ik} \|x_i - y_{ik}\|^2 / D', \quad
        \text{spread} = \frac1N \sum_i \mathrm{Var}_k(y_{ik})

    An exact posterior has an error of twice its spread; a model that always gives the best guess has a
    smaller error and no spread: neither number is a rank alone.

    References:
        | Semantic Image Inpainting with Deep Generative Models (Yeh et al., 2017), for the task

    Arguments:
        trained: A model that is an Inpainter, of one seed, and its data set.
        test: Held-out points in data space, shape (N, *event).
        rng: Draws the completions.
        points: How many points are completed, the first ones.
        completions: How often each is completed.

    Returns:
        Squared errors per hidden coordinate. Without an inpainter, or of tokens, there is no value.
    """
    model, dataset = trained.model, trained.dataset
    reason = lacks(trained, Inpainter, "inpainter")
    if dataset.spec.kind == "tokens":
        reason = "tokens have no squared error"
    if reason is not None or not isinstance(model, Inpainter):
        return nothing(COLUMNS, reason or "")
    real, visible = test[:points], upper_half(dataset.spec.event)
    hidden = ~visible.flatten()
    completed = torch.stack(
        [_completed(trained, model, real, visible, rng) for _ in range(completions)]
    )
    fake = completed.double().flatten(2)[..., hidden]
    truth = real.double().flatten(1)[:, hidden]
    mean = dataset.points("train").double().flatten(1)[:, hidden].mean(0)
    return {
        "inpainting": mean_score((fake - truth).square().mean((0, 2))),
        "inpainting_mean": mean_score((truth - mean).square().mean(1)),
        "inpainting_spread": mean_score(fake.var(0).mean(1)),
    }


def upper_half(event: tuple[int, ...]) -> Tensor:
    """Returns which entries of a point are known, bool, shape (*event)."""
    visible = torch.zeros(event, dtype=torch.bool)
    if len(event) == 3:
        visible[:, : event[1] // 2] = True
    else:
        visible[: event[0] // 2] = True
    return visible


@torch.no_grad()
def _completed(
    trained: Trained, model: Inpainter, real: Tensor, visible: Tensor, rng: Rng
) -> Tensor:
    """One completion of each point in data space on the CPU, shape (N, *event)."""
    parts = []
    for part in real.split(ROWS):
        x = in_model_space(trained, part, rng)
        mask = visible.to(rng.device).expand(x.shape)
        # what is hidden must not be seen, not even by a model that starts its search at x
        parts.append(model.inpaint(torch.where(mask, x, x.new_zeros(())), mask, rng))
    return trained.dataset.to_data(torch.cat(parts, dim=1))[0].cpu()
