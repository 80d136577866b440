"""The masked autoencoder for distribution estimation."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Autoregressive, Batch, Density, Inpainter, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn import raster
from genbench.nn.laws import Mixtures, discrete
from genbench.nn.masked import MaskedMLP
from genbench.nn.optim import adam, linear_decay


@model("made")
class MADE(Model, Density, Autoregressive, Inpainter):
    r"""Creates an autoregressive model of one masked network.

    .. math::
        \log p(x) = \sum_d \log p(x_d \mid x_1, \dots, x_{d-1})

    Bits are Bernoulli given the bits before them; tokens have a softmax; real numbers, grey levels
    among them, are mixtures of Gaussians. The sampler computes a hidden unit once, when the last
    coordinate that it sees is drawn.

    References:
        | MADE: Masked Autoencoder for Distribution Estimation (Germain et al., 2015), section 4
        | https://arxiv.org/abs/1502.03509
        | RNADE: The real-valued neural autoregressive density-estimator (Uria et al., 2013), section 3

    Differences: one order (the coordinates' own) and one set of masks, degrees assigned in turn and
    not at random; no direct connections; AdamW on a linearly falling step size in place of Adadelta.
    Real data are RNADE's mixtures under MADE's masks. On data with a range the density is that of the
    real line, and what samples fall outside are moved to the nearer end.

    Arguments:
        hidden: The widths of the hidden layers, at least one.
        components: The number of Gaussians a coordinate, for continuous data.
        dropout: The share of the hidden units that training drops.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 1 for images and 0 elsewhere.
        clip: The largest gradient norm.
    """

    taxonomy = "explicit/tractable/fully visible"
    paper = "Germain et al., 2015"
    year = 2015
    version = 2

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        hidden: tuple[int, ...] = (128, 128),
        components: int = 16,
        dropout: float = 0.0,
        lr: float = 5e-3,
        weight_decay: float | None = None,
        clip: float = 5.0,
    ) -> None:
        super().__init__(spec, rng)
        if not hidden or components < 1:
            raise SpecError(
                f"made needs a hidden layer and a component, got hidden={hidden} and "
                f"components={components}; give at least one of each"
            )
        self.dropout, self.lr, self.clip = dropout, lr, clip
        self.decay = weight_decay if weight_decay is not None else (1.0 if spec.is_image else 0.0)
        real = spec.kind == "continuous"
        self.law = Mixtures(spec, rng.dtype, components) if real else discrete(spec, rng.dtype)
        self.network = MaskedMLP(
            spec.size, self.law.outputs, hidden, rng.fork("network"), seen=self.law.inputs
        )

    def players(self) -> tuple[Player, ...]:
        """One, by maximum likelihood."""
        optimizer = adam(self.lr, weight_decay=self.decay)
        falling = linear_decay(0.02)
        return (
            Player(
                "density", self.network, self.loss, optimizer, clip=self.clip, schedule=falling
            ),
        )

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the mean negative log-likelihood, shape (S,)."""
        drop = raster.dropout(self.dropout, rng)
        return -raster.log_prob(self.network, self.law, batch.x, drop).mean(-1)

    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, exact, shape (S, B)."""
        return raster.log_prob(self.network, self.law, x)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns points drawn coordinate after coordinate, shape (S, n, *event)."""
        return raster.sample(self.network, self.law, n, rng)

    def sample_naive(self, n: int, rng: Rng) -> Tensor:
        """Returns the points of `sample` by a pass of the whole network a coordinate."""
        return raster.sample_naive(self.network, self.law, n, rng)

    def inpaint(self, x: Tensor, known: Tensor, rng: Rng) -> Tensor:
        """Returns completions in which a coordinate sees what is known before it, (S, B, *event)."""
        return raster.inpaint(self.network, self.law, x, known, rng)

    def sequential_steps(self) -> int:
        """Returns D: a coordinate waits for those before it."""
        return self.spec.size
