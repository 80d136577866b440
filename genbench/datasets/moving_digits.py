"""The next frame of a film whose futures are known."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from genbench.core.constant import Constant
from genbench.core.dataset import DataSpec, ImageDataset, dataset
from genbench.core.derived import Sources
from genbench.core.errors import SpecError
from genbench.core.quality import Quality
from genbench.core.rng import Rng
from genbench.core.truth import Truth
from genbench.datasets._digits import LEVELS, SIZES, digit_splits

SIDE, STEP = 8, 4
#: the largest side of a frame, so that a split fits the memory
LARGEST = 128
#: down, right, up, left, in pixels (rows, columns): a turn to the left is the next, to the right the last
HEADINGS = torch.tensor([[STEP, 0], [0, STEP], [-STEP, 0], [0, -STEP]])
#: turns of the futures: it goes on, turns left, turns right
TURNS = torch.tensor([0, 1, 3])


@dataset("moving_digits")
class MovingDigits(ImageDataset):
    """A digit moves four pixels a frame; given two frames, the third is one of `futures`, equally likely.

    It goes on (1), may turn left (2) or right too (3). A stream: a digit of the training split, its place
    and heading are drawn afresh; the validation and test splits are fixed draws with digits of their own.
    All right answers to two frames, their chances, their mean and with it the least squared error are
    known, so that what a loss makes of several right answers can be told from what a network cannot do.

    References:
        | Unsupervised Learning of Visual Structure Using Predictive Generative Networks (Lotter et al.,
        | 2015), for the task, of which NIPS 2016 Tutorial: Generative Adversarial Networks (Goodfellow,
        | 2016), Figure 3, shows the outcome

    Differences: scikit-learn's digits of 8×8 pixels, with futures that are known, in place of rendered faces.

    Arguments:
        size: The height and width of a frame, 16 to 128.
        futures: How many futures two frames have, 1 to 3.
    """

    quality = Quality(("near_answer", "fid"))

    stream = True
    stream_size = 10_000
    paper = "Lotter et al., 2015"
    levels = LEVELS

    def __init__(
        self,
        *,
        size: int = 16,
        futures: int = 3,
        data_dir: Path | None = None,
        offline: bool = False,
    ) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        least = SIDE + 2 * STEP
        if not least <= size <= LARGEST or not 1 <= futures <= len(TURNS):
            raise SpecError(
                f"moving_digits needs size from {least} to {LARGEST} and futures from 1 to {len(TURNS)}, got "
                f"size={size}, futures={futures}"
            )
        self.size, self.futures = size, futures
        grey = {"range": (0.0, 1.0), "levels": LEVELS}
        source = DataSpec("moving_digits sources", (2, size, size), **grey)
        self.spec = DataSpec(
            "moving_digits", (1, size, size), **grey, dequantisation="uniform", source=source
        )
        self.given = Sources(source, lambda: {k: frames[1] for k, frames in self._films.items()})
        self.truth = Truth(box=(0.0, 1.0), answers=self._answers)

    def load(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Returns a fixed draw of `stream_size` third frames per split; they have no labels."""
        return {split: (last, last.new_zeros(0)) for split, (last, _) in self._films.items()}

    def labels(self, split: str) -> Tensor | None:
        """Returns None: models are not told the digit."""
        return None

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Returns n third frames per seed, shape (S, n, 1, size, size)."""
        return self.draw_pairs(n, rng)[0]

    def draw_pairs(self, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns n third frames per seed, and the two before each, (S, n, 1 and 2, size, size)."""
        last, before = self._film("train", n, rng)
        return last.to(rng.dtype) / (LEVELS - 1), before.to(rng.dtype) / (LEVELS - 1)

    @cached_property
    def _films(self) -> dict[str, tuple[Tensor, Tensor]]:
        """A fixed draw per split: third frames (N, 1, size, size) and what is given, uint8."""
        films = {}
        for split in SIZES:
            rng = Rng([0]).fork("dataset", self.name, split)
            last, before = self._film(split, self.stream_size, rng)
            films[split] = last[0], before[0]
        return films

    @cached_property
    def _digits(self) -> dict[str, Constant]:
        """Each split's digits with a border of black, uint8, (N, 10, 10)."""
        return {
            split: Constant(torch.nn.functional.pad(pixels[:, 0], (1, 1, 1, 1)))
            for split, (pixels, _) in digit_splits().items()
        }

    @cached_property
    def _moves(self) -> tuple[Constant, Constant]:
        return Constant(HEADINGS), Constant(TURNS)

    def _film(self, split: str, n: int, rng: Rng) -> tuple[Tensor, Tensor]:
        """Levels of third frames and of the two before, uint8, (S, n, 1 and 2, size, size)."""
        digits = self._digits[split].on(rng.device)
        headings, turns = (part.on(rng.device) for part in self._moves)
        digit = rng.integers(len(digits), n)
        middle = STEP + rng.integers(self.size - SIDE - 2 * STEP + 1, n, 2)
        heading = rng.integers(len(HEADINGS), n)
        turned = (heading + turns[rng.integers(self.futures, n)]) % len(HEADINGS)
        places = middle - headings[heading], middle, middle + headings[turned]
        frames = [self._put(digits, digit, place) for place in places]
        return frames[2].unsqueeze(2), torch.stack(frames[:2], 2)

    def _put(self, digits: Tensor, digit: Tensor, place: Tensor) -> Tensor:
        """Frames (S, n, size, size) that show digits (S, n) at their upper left corners (S, n, 2)."""
        pixel = torch.arange(self.size, device=place.device)
        rows, columns = ((pixel - place[..., k, None] + 1).clamp(0, SIDE + 1) for k in range(2))
        return digits[digit[..., None, None], rows.unsqueeze(-1), columns.unsqueeze(-2)]

    def _answers(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """All third frames that may follow two, and their chances, by the shift between the two."""
        first, second = source.unbind(1)
        shift = _corner(second) - _corner(first)
        down, right = shift.unbind(-1)
        # headings turn to the left by (down, right) -> (-right, down), seen with rows going down
        turned = [shift, torch.stack([-right, down], -1), torch.stack([right, -down], -1)]
        answers = torch.stack([_shifted(second, move) for move in turned[: self.futures]], 1)
        chances = source.new_full((len(source), self.futures), 1 / self.futures)
        return answers.unsqueeze(2), chances


def _corner(x: Tensor) -> Tensor:
    """The first rows and columns that are not black of frames (N, H, W), shape (N, 2)."""
    lit = x > 0
    return torch.stack(
        [lit.any(2).to(torch.uint8).argmax(1), lit.any(1).to(torch.uint8).argmax(1)], -1
    )


def _shifted(x: Tensor, by: Tensor) -> Tensor:
    """Frames (N, H, W) moved down and right by (N, 2) pixels; what leaves one side enters at the other."""
    height, width = x.shape[1:]
    rows = (torch.arange(height, device=x.device) - by[:, :1]) % height
    columns = (torch.arange(width, device=x.device) - by[:, 1:]) % width
    every = torch.arange(len(x), device=x.device)[:, None, None]
    return x[every, rows.unsqueeze(2), columns.unsqueeze(1)]
