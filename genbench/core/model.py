"""Models: ordered players, a sampler, and declared abilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar, get_args

import torch
from torch import Tensor, nn

from genbench.core import options
from genbench.core.dataset import DataSpec
from genbench.core.declarations import (
    FLAG,
    TEXT,
    TEXTS,
    VERSION,
    WHOLE,
    Need,
    check_whole,
    one_of,
)
from genbench.core.errors import SpecError
from genbench.core.registry import Registry, registrar
from genbench.core.rng import Rng
from genbench.core.search import SPACE, Space, is_space

Bound = Literal["exact", "lower", "estimate"]
Taxonomy = Literal[
    "explicit/tractable/fully visible",
    "explicit/tractable/change of variables",
    "explicit/approximate/variational",
    "explicit/approximate/markov chain",
    "implicit/markov chain",
    "implicit/direct",
    "reference",
]


@dataclass(frozen=True)
class Batch:
    """A minibatch for every seed, in model space.

    Arguments:
        x: Points, shape (S, B, *event).
        labels: Class indices, shape (S, B), int64, or None without labels; -1 where a label is hidden,
            as most are in a cell with `labelled`.
        progress: The share of the budget that is spent, in [0, 1], for schedules.
        source: What the points are to be made from, in the model space of what is given, shape
            (S, B, *source.event); None where points stand alone. Rows belong together unless the data
            are unpaired.
    """

    x: Tensor
    labels: Tensor | None = None
    progress: float = 0.0
    source: Tensor | None = None


class Optimizer(Protocol):
    """What training asks of an optimiser; torch.optim's elementwise ones and nn.optim's fit."""

    param_groups: list[dict[str, Any]]

    def step(self) -> Any:
        """Moves the weights by their gradients."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Returns tensors by name."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Takes up a state of `state_dict`."""
        ...


@dataclass(frozen=True)
class Player:
    """One loss and the weights it moves.

    Arguments:
        name: A short noun: generator, critic, encoder, density.
        module: The module whose parameters the player moves; each has a leading seed axis.
        loss: Maps a Batch and an Rng to one loss per seed, shape (S,).
        optimizer: Makes an elementwise optimiser from parameters.
        steps: How many updates, each on a fresh minibatch, the player makes in one round; where it is no
            whole number, in one round more than in another.
        clip: The largest gradient norm a seed may have, or None.
        project: Called after every update, under no_grad, e.g. to clip weights.
        schedule: Maps progress in [0, 1] to a factor on the learning rate.
        average: The decay of an exponential moving average of the weights, which then replaces the
            weights whenever the model is evaluated; None to evaluate the weights themselves.
        objective: Whether the loss on points that are held out says how good the model is; if only its
            gradient means something, there is no early stopping.
    """

    name: str
    module: nn.Module
    loss: Callable[[Batch, Rng], Tensor]
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    steps: float = 1
    clip: float | None = None
    project: Callable[[], None] | None = None
    schedule: Callable[[float], float] | None = None
    average: float | None = None
    objective: bool = True

    def __post_init__(self) -> None:
        """Refuses numbers that would train otherwise than they say.

        Raises:
            SpecError: For a norm that is not above 0, or a decay that is not in [0, 1).
        """
        if self.clip is not None and not self.clip > 0:
            raise SpecError(
                f"clip of player {self.name!r} needs a norm above 0, got {self.clip}; the usual are 1 to 10"
            )
        if self.average is not None and not 0 <= self.average < 1:
            raise SpecError(
                f"average of player {self.name!r} needs a decay of at least 0 and below 1, got "
                f"{self.average}; the usual is 0.999, and None averages nothing"
            )


class Model(nn.Module, ABC):
    """A generative model trained for S seeds at once: every tensor has a leading seed axis.

    Concrete models are final: what they share are functions and abstract classes in `genbench.families`.
    Options are keyword-only arguments with the paper's values as defaults. Every parameter and every
    persistent buffer that differs between seeds has the seeds as its leading axis; others (masks)
    are the same for all.

    Arguments:
        spec: What is known of the data before seeing any.
        rng: Draws the initial weights; its length is S.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    taxonomy: ClassVar[Taxonomy]
    #: what a plugin's model competes as; empty for the usual family of its taxonomy, or `translation`
    family: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    year: ClassVar[int] = 0
    #: whether it learns no more than the data's extent or first moments: a metric by which it counts as
    #: good is not judged on that data set
    null: ClassVar[bool] = False
    #: whether it is a simple fit that a model has to beat: tables mark rows that lose to one
    simple_fit: ClassVar[bool] = False
    #: how many points `prepare` is shown of a stream (of a fixed set it is shown all)
    prepare_size: ClassVar[int] = 20_000
    #: extractors, by name, that are part of the loss: metrics that look through one do not judge the model
    loss_networks: tuple[str, ...] = ()
    #: what makes the host wait for a GPU nevertheless, `round`, `sample` or an ability's method, and why
    waits: ClassVar[Mapping[str, str]] = {}
    #: buffers of shape (S,) that training measures or learns, and that the records of cells hold
    recorded: ClassVar[tuple[str, ...]] = ()
    #: what `genbench tune` may choose; empty for models that are not trained
    search: ClassVar[Space] = {}

    def __init__(self, spec: DataSpec, rng: Rng) -> None:
        super().__init__()
        self.spec = spec
        self.seeds = len(rng)

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Returns why the model cannot do a data set, or None if it can."""
        return None

    @abstractmethod
    def players(self) -> tuple[Player, ...]:
        """Returns the players in the order they move; none for models in closed form."""

    @abstractmethod
    def sample(self, n: int, rng: Rng) -> Tensor:
        """Returns n points per seed in model space, shape (S, n, *event)."""

    def prepare(self, batch: Batch, rng: Rng) -> None:
        """Sees the training set once before training (x: (S, N, *event), possibly expanded).

        Runs again on resume and when a seed is sliced out, so it must depend on its arguments alone.
        """
        return

    def sequential_steps(self) -> int:
        """Returns how many network evaluations must follow one another for one sample."""
        return 1


class Density(ABC):
    """Gives log densities in model space."""

    #: what log_prob returns: the exact value, a lower bound, or an estimate (of the normaliser)
    bound: Bound = "exact"

    @abstractmethod
    def log_prob(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x) in nats, shape (S, B), for x of shape (S, B, *event)."""

    def common_error(self, rng: Rng) -> Tensor | None:
        """Returns the standard error that all points of log_prob share (log Z's), (S,), or None."""
        return None


class Encoder(ABC):
    """Maps points to codes."""

    #: how many of a code's leading entries are the probabilities of one categorical variable
    categories: int = 0

    @abstractmethod
    def encode(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns codes, shape (S, B, L)."""


class Reconstructor(ABC):
    """Maps points to codes and back."""

    @abstractmethod
    def reconstruct(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns points in model space, shape (S, B, *event), from the codes of x alone."""


class Inpainter(ABC):
    """Completes points of which some entries are known."""

    @abstractmethod
    def inpaint(self, x: Tensor, observed: Tensor, rng: Rng) -> Tensor:
        """Returns completions, shape (S, B, *event); entries that are `observed` (bool) are unchanged."""


class Conditional(ABC):
    """Samples given labels."""

    @abstractmethod
    def sample_class(self, labels: Tensor, rng: Rng) -> Tensor:
        """Returns one point per label, shape (S, n, *event), for labels of shape (S, n)."""


class Classifier(ABC):
    """Predicts labels."""

    @abstractmethod
    def classify(self, x: Tensor) -> Tensor:
        """Returns class logits, shape (S, B, classes)."""


class MarkovChain(ABC):
    """Samples by many steps of a chain; `Model.sample` runs it."""

    @abstractmethod
    def chain_start(self, n: int, rng: Rng) -> Tensor:
        """Returns n chains' starting points, shape (S, n, *event)."""

    @abstractmethod
    def chain_step(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns the chains' next points, shape (S, n, *event)."""


class Autoregressive(ABC):
    """Draws entry after entry; `Model.sample` carries along what it has computed."""

    @abstractmethod
    def sample_naive(self, n: int, rng: Rng) -> Tensor:
        """Returns what `sample` returns given the same rng, by a pass of the network for each entry.

        Discrete points are the same; real numbers are the same but for rounding.
        """


class Translator(ABC):
    """Makes a point from a source."""

    @abstractmethod
    def translate(self, source: Tensor, rng: Rng) -> Tensor:
        """Returns one point per source, (S, B, *event), for sources (S, B, *source.event) in model space.

        Every point is made from its own source alone, and from noise of rng.
        """


class Cyclic(Translator):
    """Makes a point from a source, and a source from a point."""

    @abstractmethod
    def back(self, x: Tensor, rng: Rng) -> Tensor:
        """Returns one source per point, (S, B, *source.event), for points (S, B, *event)."""


class ConditionalDensity(ABC):
    """Gives log densities of points given their sources, in model space."""

    @abstractmethod
    def log_prob_given(self, x: Tensor, source: Tensor, rng: Rng) -> Tensor:
        """Returns log p(x | source) in nats, exact, (S, B), for x (S, B, *event) and sources."""


MODELS: Registry[type[Model]] = Registry("model", "genbench.models")

M = TypeVar("M", bound=type[Model])

#: what a model's class says of itself, and what is allowed
DECLARED: dict[str, Need] = {
    "taxonomy": one_of(get_args(Taxonomy)),
    "version": VERSION,
    "paper": TEXT,
    "year": WHOLE,
    "family": TEXT,
    "null": FLAG,
    "simple_fit": FLAG,
    "prepare_size": WHOLE,
    "recorded": TEXTS,
    "search": (is_space, SPACE),
}


def model(name: str) -> Callable[[M], M]:
    """Returns a decorator that registers a Model class under a name, its file's name."""
    return registrar(MODELS, name, Model, DECLARED)


def build(name: str, spec: DataSpec, rng: Rng, chosen: dict[str, Any] | None = None) -> Model:
    """Creates a registered model, its options checked, its weights drawn on the rng's device.

    Arguments:
        name: The model's name.
        spec: The data.
        rng: Draws the initial weights, by its fork `init`; its device and type are the model's.
        chosen: Options that differ from their defaults.

    Raises:
        UnknownName: With the nearest match.
        SpecError: For an option that the model does not have, or a value of the wrong type.
    """
    cls = MODELS.get(name)
    check_whole("model", name, cls)
    resolved = options.resolve(cls, chosen or {}, who=f"model {name}")
    return cls(spec, rng.fork("init"), **resolved).to(device=rng.device, dtype=rng.dtype)


def parameter_count(model: Model) -> int:
    """Returns the number of trained weights of one seed."""
    return sum(p.numel() for p in model.parameters()) // model.seeds


ABILITIES: dict[str, type] = {
    "density": Density,
    "encoder": Encoder,
    "reconstructor": Reconstructor,
    "inpainter": Inpainter,
    "conditional": Conditional,
    "classifier": Classifier,
    "markov_chain": MarkovChain,
    "autoregressive": Autoregressive,
    "translator": Translator,
    "cyclic": Cyclic,
    "conditional_density": ConditionalDensity,
}


def only_seed(model: Model, fresh: Model, k: int) -> Model:
    """Copies seed k of a stacked model into a freshly built and prepared model of one seed."""
    source = dict(model.state_dict())
    target = fresh.state_dict()
    with torch.no_grad():
        for key, value in target.items():
            stacked = source[key]
            value.copy_(stacked if stacked.shape == value.shape else stacked[k : k + 1])
    return fresh
