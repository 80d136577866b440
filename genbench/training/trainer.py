"""The training loop: one for every family, all seeds of a stack at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.model import Batch, Model, Player
from genbench.core.rng import Rng
from genbench.core.spec import Budget, Training
from genbench.training.adjust import adjust_players, count_updates
from genbench.training.denormals import flush_denormals
from genbench.training.graphs import capture_rounds
from genbench.training.inductor import CompiledLosses
from genbench.training.memory import keep_memory
from genbench.training.minibatches import Minibatches, visible_labels
from genbench.training.players import PlayerState
from genbench.training.stopping import make_stopping
from genbench.training.threads import limit_threads

#: maps a model to {column: one value per seed}; its time does not count as training
Probe = Callable[[Model], dict[str, list[float | None]]]
#: called after every round with the trainer
Listener = Callable[["Trainer"], None]


@dataclass
class Point:
    """A point of the learning curve for all seeds of the stack."""

    step: int
    seconds: float
    losses: dict[str, list[float]]
    metrics: dict[str, list[float | None]] = field(default_factory=dict)


class Trainer:
    """Trains a model's players in rounds until the budget is spent.

    In a round every player, in order, makes its `steps` updates, each on a fresh minibatch. Losses,
    gradient clipping and divergence are per seed; a seed whose loss is not finite is marked with the
    round and leaves the others as they were.

    Arguments:
        model: Built and prepared.
        data: What it learns: a data set, or a function from progress in [0, 1] to minibatches.
        budget: Rounds, examples or seconds.
        rng: The stack's; forked for minibatches, hidden labels and the losses' own noise.
        batch: Points per seed in a minibatch of a data set.
        labelled: How many training labels of a data set a seed sees; None shows all.
        players: Those that train in place of the model's own.
        training: How players train where it is not as they say.
        autocast: Run losses in bfloat16 where safe (CUDA only).
        graphs: Capture rounds in a CUDA graph where that is possible (CUDA only).
        compiled: Compile losses with their gradients where that is possible (CPU only, without autocast).
        curve: Points on the learning curve, at equal shares of the budget.
        probe: Cheap metrics for the curve.
        listener: Called after every round; it decides itself how often it acts.
    """

    def __init__(
        self,
        model: Model,
        data: Dataset | Callable[[float], Batch],
        budget: Budget,
        *,
        rng: Rng,
        batch: int = 0,
        labelled: int | None = None,
        players: Iterable[Player] | None = None,
        training: Training | None = None,
        autocast: bool = False,
        graphs: bool = False,
        compiled: bool = False,
        curve: int = 0,
        probe: Probe | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.model, self.budget, self.probe, self.listener = model, budget, probe, listener
        self.batch = batch
        self.draws, self.noise, self.device = rng.fork("data"), rng.fork("train"), rng.device
        dataset = data if isinstance(data, Dataset) else None
        if isinstance(data, Dataset):
            labels = visible_labels(data, labelled, rng)
            data = Minibatches(data, self.draws, batch, labels=labels)
        self.minibatches = data
        players = adjust_players(model.players() if players is None else players, training)
        self.players = [PlayerState(player, len(rng)) for player in players]
        self.stopping = make_stopping(
            training, [state.player for state in self.players], dataset, rng
        )
        self.autocast = autocast and self.device.type == "cuda"
        self.compiled = CompiledLosses(model) if compiled else None
        self.marks = [(i + 1) / curve for i in range(curve)]
        self.points: list[Point] = []
        self.step, self.examples, self.seconds = 0, 0, 0.0
        self.diverged = torch.full((len(rng),), -1, dtype=torch.int64, device=self.device)
        self.losses: dict[str, Tensor] = {}
        self.advance = capture_rounds(self) if graphs else self.round

    @property
    def progress(self) -> float:
        """The share of the budget that is spent, in [0, 1]."""
        budget = self.budget
        if budget.steps is not None:
            share = self.step / budget.steps
        elif budget.examples is not None:
            share = self.examples / budget.examples
        else:
            share = self.seconds / (budget.seconds or 1.0)
        return min(share, 1.0)

    def run(self, until: float = 1.0) -> Trainer:
        """Trains until this share of the budget is spent or no seed is left; returns itself."""
        if not self.players:
            return self
        self.model.train()
        with limit_threads(self.model, self.batch), flush_denormals(), keep_memory():
            self._run(until)
        self._synchronise()
        self.model.eval()
        return self

    def _run(self, until: float) -> None:
        began, before = time.perf_counter(), self.seconds
        while self.progress < until:
            self.advance()
            if self.stopping is not None:
                self.stopping.look(self.progress, partial(self.averaged, best=False))
            self.seconds = before + time.perf_counter() - began
            if self.marks and self.progress >= self.marks[0]:
                self._synchronise()
                self.seconds = before + time.perf_counter() - began
                self._mark()
                began, before = time.perf_counter(), self.seconds
                if bool((self.diverged >= 0).all()):
                    break
            if self.listener is not None:
                self.listener(self)

    def round(self, progress: Any = None) -> None:
        """Lets every player make its updates once, at a progress, or at the trainer's own."""
        self.move(self.progress if progress is None else progress)
        self.end_round()

    def move(self, progress: Any) -> None:
        """Lets every player make its updates, which are the kernels of a round (`training/graphs.py`)."""
        for state in self.players:
            player, loss = state.player, torch.empty(0)
            updates = count_updates(player.steps, self.step)
            for _ in range(updates):
                batch = self.minibatches(progress)
                loss = self.differentiate(state, batch)
                state.move(progress)
                self.examples += batch.x.shape[1]
            if updates:
                self.losses[player.name] = loss.detach()

    def differentiate(self, state: PlayerState, batch: Batch) -> Tensor:
        """Returns a player's loss, shape (S,), and leaves the gradients in its weights' `.grad`."""
        if self.compiled is not None:
            return self.compiled(state, batch, self.noise)
        return state.differentiate(batch, self.noise, self._precision())

    def end_round(self) -> None:
        """Marks seeds whose losses are not finite, and counts the round."""
        zeros = [loss * 0 for loss in self.losses.values()]  # nan where a loss is not finite
        if zeros:
            fresh = (sum(zeros[1:], zeros[0]) != 0) & (self.diverged < 0)
            self.diverged.masked_fill_(fresh, self.step)
        self.step += 1

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Returns all that is needed to go on from here: tensors, and plain values."""
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        for state in self.players:
            name = state.player.name
            for key, value in state.optimizer.state_dict().items():
                tensors[f"optimizer.{name}.{key}"] = value
            tensors |= {f"average.{name}.{i}": w for i, w in enumerate(state.average)}
        tensors |= {"rng.data": self.draws.state(), "rng.train": self.noise.state()}
        tensors["diverged"] = self.diverged
        if self.stopping is not None:
            tensors |= self.stopping.state(self.model)
        plain = {
            "step": self.step,
            "examples": self.examples,
            "seconds": self.seconds,
            "updates": [state.updates for state in self.players],
            "points": [vars(point) for point in self.points],
            "marks": self.marks,
        }
        return tensors, plain

    def restore(self, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        """Takes up a state of `state`; what follows is what would have followed then."""
        self.model.load_state_dict(_under("model.", tensors))
        for state, updates in zip(self.players, plain["updates"], strict=True):
            name = state.player.name
            state.optimizer.load_state_dict(_under(f"optimizer.{name}.", tensors))
            for i, w in enumerate(state.average):
                w.copy_(tensors[f"average.{name}.{i}"])
            state.updates = updates
        self.draws.restore(tensors["rng.data"])
        self.noise.restore(tensors["rng.train"])
        self.diverged.copy_(tensors["diverged"])
        if self.stopping is not None:
            self.stopping.restore(self.model, tensors)
        self.step, self.examples = plain["step"], plain["examples"]
        self.seconds, self.marks = plain["seconds"], plain["marks"]
        self.points = [Point(**point) for point in plain["points"]]

    @contextmanager
    def averaged(self, *, best: bool = True) -> Iterator[Model]:
        """Yields the model as it is evaluated: in eval mode, running averages in place of weights.

        With early stopping they are those of the best look, or with `best` false the present ones.
        """
        training = self.model.training
        pairs = self._final_weights(best)
        originals = [[w.detach().clone() for w in weights] for weights, _ in pairs]
        for weights, average in pairs:
            _copy(weights, average)
        self.model.eval()
        try:
            yield self.model
        finally:
            for (weights, _), original in zip(pairs, originals, strict=True):
                _copy(weights, original)
            self.model.train(training)

    def finish(self) -> Model:
        """Puts running averages in place of weights for good; returns the model in eval mode."""
        for weights, final in self._final_weights(best=True):
            _copy(weights, final)
        return self.model.eval()

    def _final_weights(self, best: bool) -> list[tuple[list[Any], list[Tensor]]]:
        """Pairs of the tensors that training moves and of what evaluation takes in their place."""
        if best and self.stopping is not None:
            return self.stopping.pairs(self.model)
        return [(state.weights, state.average) for state in self.players if state.average]

    def _mark(self) -> None:
        while self.marks and self.progress >= self.marks[0]:
            self.marks = self.marks[1:]
        point = Point(self.step, self.seconds, {k: v.tolist() for k, v in self.losses.items()})
        if self.probe is not None:
            with self.averaged() as model:
                point.metrics = self.probe(model)
        self.points.append(point)

    def _precision(self) -> Any:
        if self.autocast:
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def _synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}


@torch.no_grad()
def _copy(targets: list[Any], sources: list[Tensor]) -> None:
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)
