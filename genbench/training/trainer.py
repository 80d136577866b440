"""The training loop: one for every family, all seeds of a stack at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genbench.core.dataset import Dataset
from genbench.core.errors import ContractError
from genbench.core.model import Model, Player
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.nn.optim import ELEMENTWISE, clip_by_seed
from genbench.training.minibatches import Source, visible_labels

#: maps a model to {column: one value a seed}; its time does not count as training
Probe = Callable[[Model], dict[str, list[float | None]]]
#: told of progress after every so many rounds: (trainer)
Listener = Callable[["Trainer"], None]


@dataclass
class Point:
    """A point of the learning curve for all seeds of the stack."""

    step: int
    seconds: float
    losses: dict[str, list[float]]
    metrics: dict[str, list[float | None]] = field(default_factory=dict)


class Mover:
    """A player at work: its weights, its optimiser, its running average."""

    def __init__(self, player: Player, seeds: int) -> None:
        self.player = player
        self.weights = [p for p in player.module.parameters() if p.requires_grad]
        for name, p in player.module.named_parameters():
            if p.shape[:1] != (seeds,):
                raise ContractError(
                    f"player {player.name!r} needs weights with the {seeds} seeds as leading axis, got "
                    f"{tuple(p.shape)} for {name}; draw them from the rng of __init__"
                )
        self.optimizer = player.optimizer(self.weights)
        if type(self.optimizer) not in ELEMENTWISE:
            raise ContractError(
                f"player {player.name!r} needs an elementwise optimiser, got "
                f"{type(self.optimizer).__name__}; seeds of a stack would mix, take one of "
                f"{', '.join(cls.__name__ for cls in ELEMENTWISE)} from genbench.nn.optim"
            )
        self.rate = [group["lr"] for group in self.optimizer.param_groups]
        kept = self.weights if player.average is not None else []
        self.average = [w.detach().clone() for w in kept]
        self.updates = 0

    def move(self, loss: Tensor, progress: float) -> None:
        """Makes one update from one loss a seed."""
        for w in self.weights:
            w.grad = None
        loss.sum().backward(inputs=self.weights)
        if self.player.clip is not None:
            clip_by_seed(self.weights, self.player.clip)
        if self.player.schedule is not None:
            factor = self.player.schedule(progress)
            for group, rate in zip(self.optimizer.param_groups, self.rate, strict=True):
                group["lr"] = rate * factor
        self.optimizer.step()
        self.updates += 1
        with torch.no_grad():
            if self.player.project is not None:
                self.player.project()
            if self.player.average is not None:
                decay = min(self.player.average, (1 + self.updates) / (10 + self.updates))
                torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1 - decay)


class Trainer:
    """Trains a model's players in rounds until the budget is spent.

    In a round every player, in order, makes its `steps` updates, each on a fresh minibatch. Losses,
    gradient clipping and divergence are per seed; a seed whose loss is not finite is marked with the
    round and leaves the others as they were.

    Arguments:
        model: Built and prepared.
        dataset: What it learns.
        budget: Rounds, examples or seconds.
        batch: Points a seed in a minibatch.
        rng: The stack's; forked for minibatches, hidden labels and the losses' own noise.
        labelled: How many training labels a seed sees; None shows all.
        autocast: Run losses in bfloat16 where safe (CUDA only).
        curve: Points on the learning curve, at equal shares of the budget.
        probe: Cheap metrics for the curve.
        listener: Called after every round; it decides itself how often it acts.
    """

    def __init__(
        self,
        model: Model,
        dataset: Dataset,
        budget: Budget,
        *,
        batch: int,
        rng: Rng,
        labelled: int | None = None,
        autocast: bool = False,
        curve: int = 0,
        probe: Probe | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.model, self.budget, self.probe, self.listener = model, budget, probe, listener
        labels = visible_labels(dataset, labelled, rng)
        self.source = Source(dataset, rng.fork("data"), batch, labels=labels)
        self.noise = rng.fork("train")
        self.device = rng.device
        self.movers = [Mover(player, len(rng)) for player in model.players()]
        self.autocast = autocast and self.device.type == "cuda"
        self.marks = [(i + 1) / curve for i in range(curve)]
        self.points: list[Point] = []
        self.step, self.examples, self.seconds = 0, 0, 0.0
        self.diverged = torch.full((len(rng),), -1, dtype=torch.int64, device=self.device)
        self.losses: dict[str, Tensor] = {}

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

    def run(self) -> Trainer:
        """Trains until the budget is spent or no seed is left; returns itself."""
        if not self.movers:
            return self
        self.model.train()
        began, before = time.perf_counter(), self.seconds
        while self.progress < 1.0:
            self.round()
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
        self._synchronise()
        self.model.eval()
        return self

    def round(self) -> None:
        """Lets every player make its updates once."""
        progress = self.progress
        for mover in self.movers:
            player = mover.player
            loss = torch.zeros(())
            for _ in range(player.steps):
                batch = self.source.next(progress)
                with self._precision():
                    loss = player.loss(batch, self.noise)
                if loss.shape != self.diverged.shape:
                    raise ContractError(
                        f"the loss of player {player.name!r} needs shape "
                        f"{tuple(self.diverged.shape)}, one value a seed, got "
                        f"{tuple(loss.shape)}; average over the minibatch only"
                    )
                mover.move(loss, progress)
                self.examples += self.source.batch
            loss = loss.detach()
            self.losses[player.name] = loss
            fresh = ~loss.isfinite() & (self.diverged < 0)
            self.diverged.masked_fill_(fresh, self.step)
        self.step += 1

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Returns all that is needed to go on from here: tensors, and plain values."""
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        for mover in self.movers:
            name = mover.player.name
            for key, value in mover.optimizer.state_dict().items():
                tensors[f"optimizer.{name}.{key}"] = value
            tensors |= {f"average.{name}.{i}": w for i, w in enumerate(mover.average)}
        tensors |= {"rng.data": self.source.rng.state(), "rng.train": self.noise.state()}
        tensors["diverged"] = self.diverged
        plain = {
            "step": self.step,
            "examples": self.examples,
            "seconds": self.seconds,
            "updates": [mover.updates for mover in self.movers],
            "points": [vars(point) for point in self.points],
            "marks": self.marks,
        }
        return tensors, plain

    def restore(self, tensors: dict[str, Tensor], plain: dict[str, Any]) -> None:
        """Takes up a state of `state`; what follows is what would have followed then."""
        self.model.load_state_dict(_under("model.", tensors))
        for mover, updates in zip(self.movers, plain["updates"], strict=True):
            name = mover.player.name
            mover.optimizer.load_state_dict(_under(f"optimizer.{name}.", tensors))
            for i, w in enumerate(mover.average):
                w.copy_(tensors[f"average.{name}.{i}"])
            mover.updates = updates
        self.source.rng.restore(tensors["rng.data"])
        self.noise.restore(tensors["rng.train"])
        self.diverged.copy_(tensors["diverged"])
        self.step, self.examples = plain["step"], plain["examples"]
        self.seconds, self.marks = plain["seconds"], plain["marks"]
        self.points = [Point(**point) for point in plain["points"]]

    @contextmanager
    def averaged(self) -> Iterator[Model]:
        """Gives the model as it is evaluated: in eval mode, running averages in place of weights."""
        training = self.model.training
        pairs = [(m.weights, m.average) for m in self.movers if m.average]
        kept = [[w.detach().clone() for w in weights] for weights, _ in pairs]
        for weights, average in pairs:
            _copy(weights, average)
        self.model.eval()
        try:
            yield self.model
        finally:
            for (weights, _), old in zip(pairs, kept, strict=True):
                _copy(weights, old)
            self.model.train(training)

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
