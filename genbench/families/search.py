"""Dimensions of tuning that the models of a family share; a model's file adds what is its own."""

from __future__ import annotations

from genbench.core.search import Choice, LogUniform, Space

#: how step sizes fall, and the running average of the weights: for every model
SCHEDULE: Space = {
    "training.decay": Choice(("constant", "linear", "cosine")),
    "training.average": Choice((0.0, 0.99, 0.999)),
}
#: the weights of least validation loss: for models of one player whose loss says how good they are
STOPPING: Space = {"training.stopping": Choice((None, 16))}
#: two shapes of multi-layer perceptrons, of as many weights give or take a quarter
SHAPES: Space = {"hidden": Choice(((128, 128), (100, 100, 100)))}


def density_space(low: float = 3e-4, high: float = 2e-2) -> Space:
    """Returns the dimensions of models of one player: step size, schedule, average, stopping.

    Arguments:
        low: The least step size.
        high: The largest.
    """
    return {"lr": LogUniform(low, high), **SCHEDULE, **STOPPING}


def game_space(first: str = "discriminator", low: float = 1e-4, high: float = 1e-2) -> Space:
    """Returns the dimensions of games of two players.

    They are the generator's step size, the factor on the first player's, its share of the updates of a
    round (a round costs the same whatever the share), schedule and average.

    Arguments:
        first: The name of the first player.
        low: The generator's least step size.
        high: The largest.
    """
    return {
        "lr": LogUniform(low, high),
        f"training.rates.{first}": LogUniform(0.25, 4.0),
        "training.share": Choice((0.5, 2 / 3, 5 / 6)),
        **SCHEDULE,
    }


#: the weight of R1, of games whose discriminator is held flat at the data
R1: Space = {"penalty": LogUniform(0.01, 10.0)}
#: games of two players under Adam
ADAM_GAME: Space = {**game_space(), "beta1": Choice((0.0, 0.5, 0.9))}
#: the same between multi-layer perceptrons
PERCEPTRON_GAME: Space = {**game_space(), **SHAPES, "beta1": Choice((0.0, 0.5, 0.9))}
#: large networks over the pixels or entries of a point, under AdamW
PIXELWISE: Space = {
    **density_space(3e-4, 1e-2),
    "weight_decay": LogUniform(1e-3, 1.0),
    "dropout": Choice((0.0, 0.25, 0.5)),
}
#: variational autoencoders
VARIATIONAL: Space = {
    **density_space(),
    **SHAPES,
    "latent": Choice((2, 8, 16, 32)),
    "warmup": Choice((0.0, 0.25, 0.5)),
}
