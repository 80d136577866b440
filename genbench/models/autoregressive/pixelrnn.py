"""PixelRNN with row LSTM layers."""

from __future__ import annotations

from torch import Tensor

from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import Autoregressive, Batch, Density, Inpainter, Model, Player, model
from genbench.core.rng import Rng
from genbench.nn import raster
from genbench.nn.laws import discrete, not_discrete
from genbench.nn.optim import adam, linear_decay
from genbench.nn.row_lstm import RecurrentPixels


@model("pixelrnn")
class PixelRNN(Model, Density, Autoregressive, Inpainter):
    r"""Creates a PixelRNN: pixels in raster order, each by recurrent layers that read rows from above.

    .. math::
        p(x) = \prod_d p(x_d \mid x_1, \dots, x_{d-1})

    A row LSTM's state at a pixel sees the state above and on both sides of that, and the input to the
    left. Bits are Bernoulli; grey levels have a softmax, in model space a density that is constant on
    cells of width 1/levels, and samples uniform in their cell. The sampler keeps the states of the
    row above and computes those of the new pixel alone.

    References:
        | Pixel Recurrent Neural Networks (van den Oord et al., 2016), sections 3.1 and 3.3 to 3.5
        | https://arxiv.org/abs/1601.06759

    Differences: images of one channel; every place has its own learnt bias in the first layer; the
    residual stream has as many channels as the state, not twice as many; dropout; AdamW with a
    falling step size and clipped gradients in place of RMSProp; a small network, evaluated at a
    running average of the weights.

    Arguments:
        channels: The number of channels of every layer and of the states.
        recurrent: The number of recurrent layers.
        first: The width of the first convolution, odd.
        head: The width of the layer before the outputs.
        dropout: The share of the features, of those a layer adds, that training drops.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay.
        average: The decay of the weights' running average for evaluation, or None.
        clip: The largest gradient norm.
    """

    taxonomy = "explicit/tractable/fully visible"
    paper = "van den Oord et al., 2016"
    year = 2016

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        channels: int = 32,
        recurrent: int = 1,
        first: int = 7,
        head: int = 64,
        dropout: float = 0.5,
        lr: float = 3e-3,
        weight_decay: float = 0.1,
        average: float | None = 0.999,
        clip: float = 1.0,
    ) -> None:
        super().__init__(spec, rng)
        if recurrent < 1 or first < 3 or first % 2 == 0:
            raise SpecError(
                f"pixelrnn needs a layer and an odd kernel of 3 or more, got "
                f"recurrent={recurrent} and first={first}; the defaults are 1 and 7"
            )
        self.dropout, self.lr, self.decay = dropout, lr, weight_decay
        self.average, self.clip = average, clip
        self.law = discrete(spec, rng.dtype)
        self.network = RecurrentPixels(
            spec.event[-2],
            spec.event[-1],
            self.law.outputs,
            rng.fork("network"),
            channels=channels,
            depth=recurrent,
            first=first,
            head=head,
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Rows want images, and an order of colours within a pixel is not built."""
        if not spec.is_image or spec.event[0] != 1:
            return f"needs images of one channel, {spec.name} has points of shape {spec.event}"
        return not_discrete(spec)

    def players(self) -> tuple[Player, ...]:
        """One, by maximum likelihood."""
        return (
            Player(
                "density",
                self.network,
                self.loss,
                adam(self.lr, weight_decay=self.decay),
                clip=self.clip,
                schedule=linear_decay(0.02),
                average=self.average,
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
        """Returns points drawn pixel after pixel, shape (S, n, *event)."""
        return raster.sample(self.network, self.law, n, rng)

    def sample_naive(self, n: int, rng: Rng) -> Tensor:
        """Returns the points of `sample` by a pass of the whole network a pixel."""
        return raster.sample_naive(self.network, self.law, n, rng)

    def inpaint(self, x: Tensor, known: Tensor, rng: Rng) -> Tensor:
        """Returns completions in which a pixel sees what is known before it, (S, B, *event)."""
        return raster.inpaint(self.network, self.law, x, known, rng)

    def sequential_steps(self) -> int:
        """Returns D: a pixel waits for those before it."""
        return self.spec.size
