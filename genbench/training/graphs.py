"""A round of training as one captured CUDA graph, replayed with a single call of the driver.

Small networks leave a GPU idle: a round of many short kernels takes as long as the host needs to launch
them. A graph records the kernels of a round once, with all addresses, and launches them together. A round
can be captured where it is the same kernels every time: nothing in it may wait for the device (the rule
`the_host_waits_for_no_device` holds models to that), and no number of Python's may change from round to
round that a kernel is given, since the graph would keep the first. So models whose players follow a schedule
of the progress, or whose losses read it, are not captured: they train round by round, and `reason` says why.
A running average is captured once its decay has stopped rising.

**Random numbers.** Of the two ways to draw the numbers of S seeds in few launches this takes *S registered
generators*: every seed's `torch.Generator` is registered with the graph
(`CUDAGraph.register_generator_state`), which then advances each generator's offset at every replay. A seed's
stream stays what it is without a graph, bit for bit, in any stack; checkpoints store the same states; and
the S launches of a draw cost next to nothing inside a graph, which was the reason to want fewer. The other
way, one kernel that computes Philox by (seed, offset) for all rows, would save those launches outside graphs
too, but it changes every number that is drawn on a GPU, and needs a kernel for each distribution and a state
that generators do not have.

References:
    | Parallel Random Numbers: As Easy as 1, 2, 3 (Salmon et al., 2011), for Philox and counters
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from genbench.core.rng import Rng
from genbench.training.players import PlayerState

#: rounds before a capture, in which libraries choose their kernels and constants come to the device
WARM = 3


class Graph(Protocol):
    """What captures kernels and launches them again."""

    def warm(self, call: Callable[[], None]) -> None:
        """Runs a call where it will be captured later."""

    def capture(self, call: Callable[[], None], generators: Sequence[torch.Generator]) -> None:
        """Notes the kernels of a call, which draws from these generators, without running them."""

    def replay(self) -> None:
        """Runs the kernels, each generator going on from where it is."""


class CudaGraph:
    """A CUDA graph on a stream of its own."""

    def __init__(self, device: torch.device) -> None:
        self.stream, self.graph = torch.cuda.Stream(device), torch.cuda.CUDAGraph()

    def warm(self, call: Callable[[], None]) -> None:
        """Runs a call on the stream; autograd's accumulation of gradients stays on it."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            call()
        torch.cuda.current_stream().wait_stream(self.stream)

    def capture(self, call: Callable[[], None], generators: Sequence[torch.Generator]) -> None:
        """Notes the kernels of a call."""
        for generator in generators:
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph, stream=self.stream):
            call()

    def replay(self) -> None:
        """Launches the kernels on the current stream."""
        self.graph.replay()


class Rounds(Protocol):
    """What makes rounds of training: a `Trainer`."""

    players: list[PlayerState]
    draws: Rng
    noise: Rng
    device: torch.device
    examples: int
    losses: dict[str, Tensor]

    @property
    def progress(self) -> float:
        """The share of the budget that is spent."""
        ...

    def round(self, progress: Any = None) -> None:
        """Makes a round."""
        ...

    def move(self, progress: Any) -> None:
        """Makes all updates of a round."""
        ...

    def end_round(self) -> None:
        """Counts a round."""
        ...


class CapturedRounds:
    """Makes a trainer's rounds: the first ones as they are, the others by a graph, where it can be captured.

    Arguments:
        trainer: Whose rounds they are.
        graph: What captures them.
    """

    def __init__(self, trainer: Rounds, graph: Graph) -> None:
        self.trainer, self.graph = trainer, graph
        self.rounds, self.captured = 0, False
        self._deltas: tuple[int, list[int]] = 0, []
        #: why rounds are not captured, or None
        self.reason: str | None = None
        for state in trainer.players:
            if state.player.schedule is not None:
                self.reason = f"the step size of player {state.player.name!r} follows a schedule"
            elif not isinstance(state.player.steps, int):
                self.reason = f"player {state.player.name!r} does not move in every round alike"

    def __call__(self) -> None:
        """Makes a round."""
        trainer = self.trainer
        if self.captured:
            self._replay()
        elif self.reason is not None:
            trainer.round()
        elif self.rounds < WARM:
            self.graph.warm(trainer.round)
            self.rounds += 1
        elif not all(state.settled for state in trainer.players):
            self.graph.warm(trainer.round)
        else:
            self._try()

    def _try(self) -> None:
        """Makes a round that tells whether a loss reads the progress; captures one where none does."""
        trainer, watched = self.trainer, Watched(self.trainer.progress)
        self.graph.warm(lambda: trainer.round(watched))
        if watched.read:
            self.reason = "a loss or the data depend on the progress"
            return
        before = _counts(trainer)
        losses = dict(trainer.losses)
        try:
            generators = [*trainer.draws.generators, *trainer.noise.generators]
            self.graph.capture(lambda: trainer.move(watched), generators)
            self.captured = True
        except RuntimeError as error:
            self.reason = f"its round cannot be captured: {' '.join(str(error).split())}"
            trainer.losses = losses
        after = _counts(trainer)
        self._deltas = (
            after[0] - before[0],
            [a - b for a, b in zip(after[1], before[1], strict=True)],
        )
        _set_counts(trainer, before)

    def _replay(self) -> None:
        self.graph.replay()
        examples, updates = _counts(self.trainer)
        more, steps = self._deltas
        counts = examples + more, [a + b for a, b in zip(updates, steps, strict=True)]
        _set_counts(self.trainer, counts)
        self.trainer.end_round()


def capture_rounds(trainer: Rounds) -> CapturedRounds:
    """Returns what makes a trainer's rounds on its CUDA device by a graph."""
    return CapturedRounds(trainer, CudaGraph(trainer.device))


def _counts(trainer: Rounds) -> tuple[int, list[int]]:
    return trainer.examples, [state.updates for state in trainer.players]


def _set_counts(trainer: Rounds, counts: tuple[int, list[int]]) -> None:
    trainer.examples = counts[0]
    for state, updates in zip(trainer.players, counts[1], strict=True):
        state.updates = updates


class Watched:
    """A number that says whether it was read; it stands for the progress in one round.

    It is no float, whose value torch would take without a word.
    """

    def __init__(self, value: float) -> None:
        self.value, self.read = value, False

    def __float__(self) -> float:
        self.read = True
        return self.value


def _reads(operation: Callable[..., Any], *, reflected: bool = False) -> Callable[..., Any]:
    """A method of Watched that reads the number, as a float would be in its place."""

    def read(self: Watched, *others: Any) -> Any:
        operands = [float(x) if isinstance(x, Watched) else x for x in others]
        operands = [*operands, float(self)] if reflected else [float(self), *operands]
        return operation(*operands)

    return read


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Watched, f"__{_name}__", _reads(getattr(operator, _name)))
    setattr(Watched, f"__r{_name}__", _reads(getattr(operator, _name), reflected=True))
for _name in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "abs"):
    setattr(Watched, f"__{_name}__", _reads(getattr(operator, _name)))
Watched.__divmod__ = _reads(divmod)  # type: ignore[attr-defined]
Watched.__rdivmod__ = _reads(divmod, reflected=True)  # type: ignore[attr-defined]
Watched.__bool__ = _reads(bool)  # type: ignore[attr-defined]
