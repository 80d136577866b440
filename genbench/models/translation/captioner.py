"""Captions of images by a convolutional and a recurrent network."""

from __future__ import annotations

from torch import Tensor

from genbench.core.allowed import Count, Positive
from genbench.core.dataset import DataSpec
from genbench.core.model import Batch, ConditionalDensity, Player, model
from genbench.core.rng import Rng
from genbench.families.search import density_space
from genbench.families.sequences import no_sequence
from genbench.families.translation import TranslationModel, needs_pairs, needs_sources, source_in
from genbench.nn.captions import CaptionWriter
from genbench.nn.optim import adam
from genbench.nn.translation import source_of


@model("captioner")
class Captioner(TranslationModel, ConditionalDensity):
    r"""Creates a writer of captions: each word has a probability given the image and the words before.

    .. math:: L = -\sum_t \log p(w_t \mid w_{<t}, \mathrm{CNN}(s))

    References:
        | Show and Tell: A Neural Image Caption Generator (Vinyals et al., 2015), section 3
        | https://arxiv.org/abs/1411.4555

    Differences: gated recurrent units in place of an LSTM; a small CNN that is trained along; captions are
    drawn from the model's distribution in place of a beam search.

    Arguments:
        image: Whether it sees the image; without, it learns what captions are like.
        units: The size of the recurrent state.
        width: The channels of the first hidden image.
        lr: Adam's step size.
    """

    taxonomy = "explicit/tractable/fully visible"
    paper = "Vinyals et al., 2015"
    year = 2015

    search = density_space()

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        image: bool = True,
        units: Count = 96,
        width: Count = 16,
        lr: Positive = 3e-3,
    ) -> None:
        super().__init__(spec, rng)
        self.lr = lr
        self.writer = CaptionWriter(
            source_of(spec), spec, width, units, rng.fork("writer"), sees=image
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Points must be captions of images, shown beside their own."""
        if spec.source is None:
            return needs_sources(spec)
        if spec.kind != "tokens" or not spec.source.is_image or min(spec.source.event[1:]) < 4:
            task = f"{spec.kind} from {spec.source.kind} points {spec.source.event}"
            return f"needs captions of images of 4 pixels or more, {spec.name} makes {task}"
        if len(spec.event) != 1:
            return no_sequence(spec)
        return needs_pairs(spec)

    def players(self) -> tuple[Player, ...]:
        """One."""
        return (Player("writer", self.writer, self.loss, adam(self.lr), clip=5.0),)

    def loss(self, batch: Batch, rng: Rng) -> Tensor:
        """Returns the negative log likelihood of captions given their images in nats, shape (S,)."""
        return -self.writer.log_prob(batch.x, source_in(batch)).mean(-1)

    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns captions drawn for images, int64, shape (S, B, L)."""
        return self.writer.write(source, rng)

    def log_prob_given(self, x: Tensor, source: Tensor, rng: Rng) -> Tensor:
        """Returns log p(caption | image) in nats, exact, shape (S, B)."""
        return self.writer.log_prob(x, source)

    def sequential_steps(self) -> int:
        """One pass for each word."""
        return self.spec.size
