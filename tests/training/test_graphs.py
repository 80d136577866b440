"""Rounds captured and replayed, by a graph that notes operations on the CPU as CUDA notes kernels."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from genbench.contracts.small import BATCH, open_small, small_options
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.running.suites import RunOptions
from genbench.training.graphs import WARM, CapturedRounds, Watched
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer


class Notes(TorchDispatchMode):
    """Runs operations, and keeps each with its arguments and results."""

    @classmethod
    def _should_skip_dynamo(cls):
        return False  # else a compiler is imported, which takes seconds

    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        self.operations.append((func, args, kwargs or {}, out))
        return out


class NotedGraph:
    """A graph of operations on the CPU: all numbers of Python's stay as they were, as in a CUDA graph.

    Unlike CUDA it cannot note without running, so the capture runs, and the first replay does not.
    """

    def __init__(self):
        self.notes, self.ran, self.generators, self.replays = Notes(), False, [], 0

    def warm(self, call):
        call()

    def capture(self, call, generators):
        self.generators = list(generators)
        with self.notes:
            call()
        self.ran = True

    @torch.no_grad()
    def replay(self):
        self.replays += 1
        if self.ran:
            self.ran = False
            return
        for func, args, kwargs, out in self.notes.operations:
            fresh = func(*args, **kwargs)
            outs, news = ([x] if isinstance(x, torch.Tensor) else x for x in (out, fresh))
            for old, new in zip(outs or (), news or (), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


def train(name, data, steps, graph=None, **how):
    dataset, rng = open_small(data), Rng([0, 1])
    model = prepare(build(name, dataset.spec, rng, small_options(name) | how), dataset, rng)
    trainer = Trainer(model, dataset, Budget(steps=steps), batch=BATCH, rng=rng)
    if graph is not None:
        trainer.advance = CapturedRounds(trainer, graph)
    return trainer.run()


@pytest.mark.parametrize(
    ("name", "data"),
    [("gan", "digits"), ("r1_gan", "ring"), ("dcgan", "digits"), ("lsgan", "ring")],
)
def test_replayed_rounds_are_the_rounds(name, data):
    steps, graph = WARM + 8, NotedGraph()
    plain, captured = train(name, data, steps), train(name, data, steps, graph)
    assert captured.advance.reason is None
    assert graph.replays == steps - WARM - 1
    (one, counts), (two, others) = plain.state(), captured.state()
    for key, x in one.items():
        assert torch.equal(x, two[key]), key
    for key in ("step", "examples", "updates"):
        assert counts[key] == others[key], key
    streams = [*captured.draws.generators, *captured.noise.generators]
    assert graph.generators == streams, "every stream of a round is registered"
    for player, loss in plain.losses.items():
        assert torch.equal(loss, captured.losses[player])


def test_a_seed_that_breaks_in_a_replayed_round_is_marked_with_it():
    graph = NotedGraph()
    trainer = train("lsgan", "ring", WARM + 3, graph)
    with torch.no_grad():
        trainer.players[0].weights[0][1] = torch.nan
    step = trainer.step
    trainer.advance()
    trainer.advance()
    assert trainer.diverged.tolist() == [-1, step]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("vae", "ring", "the step size of player 'autoencoder' follows a schedule"),
        ("gan_gumbel", "markov_text", "a loss or the data depend on the progress"),
        ("progan", "digits", "a loss or the data depend on the progress"),
    ],
)
def test_rounds_that_change_are_made_as_ever(name, data, why):
    graph, options = NotedGraph(), {"average": None} if name == "progan" else {}
    plain = train(name, data, WARM + 4, **options)
    trainer = train(name, data, WARM + 4, graph, **options)
    assert trainer.advance.reason == why
    assert graph.replays == 0
    for key, x in plain.state()[0].items():
        assert torch.equal(x, trainer.state()[0][key]), key


def test_a_running_average_is_captured_when_its_decay_is_constant():
    early, late = NotedGraph(), NotedGraph()
    average = {"average": 0.5}  # reached by the eighth update
    plain = train("progan", "digits", 2)  # has an average
    assert not plain.players[1].settled
    dataset, rng = open_small("ring"), Rng([0, 1])

    def averaged(graph):
        model = build("lsgan", dataset.spec, rng, small_options("lsgan"))
        players = [
            type(p)(**{**vars(p), **average}) for p in prepare(model, dataset, rng).players()
        ]
        trainer = Trainer(model, dataset, Budget(steps=14), batch=BATCH, rng=rng, players=players)
        if graph:
            trainer.advance = CapturedRounds(trainer, graph)
        return trainer.run()

    one, two = averaged(None), averaged(late)
    assert 0 < late.replays < 14 - WARM - 1
    for key, x in one.state()[0].items():
        assert torch.equal(x, two.state()[0][key]), key
    assert early.replays == 0


def test_a_round_that_cannot_be_captured_is_made_as_ever():
    class Refusing(NotedGraph):
        def capture(self, call, generators):
            raise RuntimeError("operation not permitted\nwhen stream is capturing")

    plain, trainer = train("lsgan", "ring", 8), train("lsgan", "ring", 8, Refusing())
    assert trainer.advance.reason == (
        "its round cannot be captured: operation not permitted when stream is capturing"
    )
    for key, x in plain.state()[0].items():
        assert torch.equal(x, trainer.state()[0][key]), key


@pytest.mark.parametrize(
    "use",
    [
        lambda p: p * 2.0,
        lambda p: 2.0**p,
        lambda p: min(p, 1.0),
        lambda p: min(1.0, p / 0.25),
        lambda p: divmod(min(p, 1.0) * 5, 2),
        lambda p: torch.ones(2) * p,
        lambda p: torch.ones(2) - p,
        lambda p: 1 - p,
        lambda p: p if p < 0.5 else 0.0,
        lambda p: bool(p),
        lambda p: float(p),
    ],
)
def test_whoever_reads_a_watched_number_is_noticed_and_gets_it(use):
    watched = Watched(0.25)
    got, wanted = use(watched), use(0.25)
    assert watched.read
    if isinstance(wanted, torch.Tensor):
        assert torch.equal(got, wanted)
    else:
        assert (float(got) if isinstance(got, Watched) else got) == wanted


def test_graphs_need_a_gpu_and_a_known_name(tmp_path):
    with pytest.raises(
        SpecError, match="--compile graphs needs a CUDA GPU, got device cpu; leave"
    ):
        RunOptions(root=tmp_path, device="cpu", compile="graphs").check()
    with pytest.raises(
        SpecError, match="compile needs one of none, graphs, inductor, got 'graph'"
    ):
        RunOptions(root=tmp_path, device="cpu", compile="graph").check()
