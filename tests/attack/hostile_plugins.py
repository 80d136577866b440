"""Plugins that raise, end the program, never end, return something else, or write into their inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy
from outcome import End, Try

HEAD = """
import sys, time, torch
from torch import nn
from genbench.core.model import Model, Player, model
from genbench.core.dataset import Dataset, DataSpec, dataset
from genbench.core.metric import Column, metric
from genbench.core.feature import Extractor, extractor
"""
MODEL = """
@model("{name}")
class Plugin(Model):
    taxonomy = "explicit/tractable/fully visible"
    def __init__(self, spec, rng, *, width: int = 3) -> None:
        super().__init__(spec, rng)
        {init}
        self.weight = nn.Parameter(torch.zeros(len(rng), 1, spec.size))
        self.buffer = torch.zeros(len(rng), 2500, spec.size)
    @classmethod
    def refuses(cls, spec):
        {refuses}
        return None
    def prepare(self, batch, rng):
        {prepare}
        pass
    def players(self):
        {players}
        from genbench.nn.optim import adam
        return (Player("all", self, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        {loss}
        return (self.weight - batch.x.flatten(2)).square().mean((1, 2))
    def sample(self, n, rng):
        {sample}
        return rng.normal(n, self.spec.size)
"""
DATASET = """
@dataset("{name}")
class Plugin(Dataset):
    spec = DataSpec("{name}", (2,))
    def __init__(self, *, data_dir=None, offline=False) -> None:
        super().__init__(data_dir=data_dir, offline=offline)
        {init}
    def points(self, split):
        {points}
        generator = torch.Generator().manual_seed(len(split))
        return torch.randn(200, 2, generator=generator)
    def to_model(self, x, rng=None):
        {to_model}
        return x
    def to_data(self, y):
        {to_data}
        return y
"""
METRIC = """
@metric("{name}", view="{view}", columns={{"{name}": Column("lower", "1")}})
def plugin(*inputs, rng, **options):
    real, fake = inputs[0], inputs[-1]
    {body}
    return 1.0
"""
EXTRACTOR = """
@extractor("{name}")
class Plugin(Extractor):
    def __init__(self, dataset=None) -> None:
        super().__init__(dataset)
        {init}
    @property
    def protocol(self):
        {protocol}
        return "{name}@1"
    def extract(self, x):
        {extract}
        return x.flatten(1).float()
"""
SUITE = """schema: 1
suites:
  demo:
    description: x
    seeds: 2
    batch: 4
    budget: {{steps: 2}}
    samples: 60
    metrics: [fid]
    curve: 0
    cells: [{{models: [{model}], datasets: [{dataset}]}}]
"""
RAISES = (
    "raise AttributeError('no such thing')",
    "1 / 0",
    "raise KeyError",
    "raise StopIteration",
    "sys.exit(0)",
    "raise SystemExit",
    "raise RecursionError('deep')",
    "raise BaseException('base')",
    "raise MemoryError",
    "raise OSError(28, 'full')",
    "raise ValueError('a\\nb')",
    "raise NotImplementedError",
    "raise AssertionError",
    "raise GeneratorExit",
    "raise BrokenPipeError",
    "print('noise'); raise TypeError",
)
FOREVER = "while True: time.sleep(0.01)"
RETURNS = (
    "return None",
    "return 'x'",
    "return torch.zeros(0)",
    "return torch.zeros(3)",
    "return torch.full((2, 7, 2), float('nan'))",
    "return 7",
    "return torch.zeros(2, 60, 2, dtype=torch.complex64)",
    "return []",
    "return {{}}".replace("{{}}", "{}"),
)
#: what must not end well, whatever else happens
POISON = {
    "metric": (
        "real -= real.mean(0)",
        "real.data.mul_(0)",
        "real.numpy()[:] = 0",
        "fake.zero_()",
        "inputs[0][0] += 1",
    ),
    "model": ("batch.x.zero_()", "batch.x.sub_(batch.x.mean())"),
    "extractor": ("x.zero_()", "x.numpy()[:] = 0"),
}
NOISE = ("print('hello from a plugin')", "sys.stdout.write('{')", "pass")


def fuzz(random: Random, folder: Path) -> Iterator[Try]:
    """Yields tries without end."""
    rng = numpy.random.default_rng(0)
    for name in "ab":
        numpy.save(folder / f"{name}.npy", rng.normal(size=(30, 2)).astype(numpy.float32))
    number = 0
    while True:
        number += 1
        kind = random.choice(("model", "model", "dataset", "metric", "extractor", "module"))
        yield MAKERS[kind](random, folder, f"plug{os.getpid()}_{number}")


def body(random: Random, name: str, kind: str) -> tuple[str, bool]:
    """A hostile line, and whether nothing good may come of it."""
    choice = random.random()
    if choice < 0.45:
        return random.choice(RAISES), False
    if choice < 0.6:
        return random.choice(RETURNS), False
    if choice < 0.7:
        return FOREVER, True
    if choice < 0.85 and kind in POISON:
        return random.choice(POISON[kind]), True
    return random.choice(NOISE), False


def fill(
    template: str, random: Random, name: str, kind: str, spots: tuple[str, ...], **given: str
):
    """A template with a hostile line in one of its places."""
    line, bad = body(random, name, kind)
    spot = random.choice(spots)
    if kind == "model" and line in POISON["model"]:
        spot = "prepare"
    if kind == "extractor" and line in POISON["extractor"]:
        spot = "extract"
    lines = {each: "pass" for each in spots} | {spot: line}
    return HEAD + template.format(name=name, **lines, **given), f"{spot}: {line}", bad


def a_model(random, folder, name):
    """A model in a run."""
    spots = ("init", "refuses", "prepare", "players", "loss", "sample")
    text, what, bad = fill(MODEL, random, name, "model", spots)
    return run(folder, name, text, ["-m", name, "-d", "ring"], f"plugins/model {what}", bad)


def a_dataset(random, folder, name):
    """A data set in a run."""
    spots = ("init", "points", "to_model", "to_data")
    text, what, bad = fill(DATASET, random, name, "dataset", spots)
    return run(folder, name, text, ["-m", "gaussian", "-d", name], f"plugins/dataset {what}", bad)


def run(folder, name, text, args, what, bad):
    """A short run with a plugin, or a verb that looks at all that there is."""
    (folder / f"{name}.py").write_text(text)
    if len(text) % 5 == 0 and FOREVER not in text:
        looks = (["list", "models"], ["show", "gan"], ["show", name], ["list", "datasets"])
        look = looks[len(text) // 5 % len(looks)]
        return Try(f"{what} ({look[0]})", [*look, "--plugin", f"{name}.py"], frozenset({0, 2}))
    suite = folder / f"{name}.yaml"
    suite.write_text(SUITE.format(model=args[1], dataset=args[3]))
    command = [
        "run",
        "demo",
        "-c",
        suite.name,
        "--plugin",
        f"{name}.py",
        "-o",
        f"out-{name}",
        "--timeout",
        "2",
        "--json",
    ]
    return Try(
        what, command, frozenset({0, 3}), lambda end: judge_run(end, folder / f"out-{name}", bad)
    )


def judge_run(end: End, out: Path, bad: bool):
    """A run that ends well has two sound records, and its standard output is JSON alone."""
    if end.code == 2:
        return None
    if end.json is None:
        return "silent wrong", f"standard output is not JSON alone: {end.out[:80]!r}"
    records = len(list(out.glob("*/*/*.json")))
    if records != 2:
        return "lost", f"{records} records for 2 cells, exit {end.code}"
    statuses = {row["status"] for row in end.json}
    if end.code == 0 and (bad or statuses & {"error", "oom", "timeout"} or len(end.json) != 2):
        return "silent wrong", f"exit 0, {statuses}"
    return None


def a_metric(random, folder, name):
    """A metric in an evaluation, before another that must see the points as they were."""
    line, bad = body(random, name, "metric")
    view = random.choice(("points", "features", "events"))
    (folder / f"{name}.py").write_text(HEAD + METRIC.format(name=name, view=view, body=line))
    command = [
        "evaluate",
        "a.npy",
        "-r",
        "b.npy",
        "--metrics",
        f"{name},fid",
        "--plugin",
        f"{name}.py",
        "--json",
        "--no-cache",
    ]
    if line == FOREVER:
        bad, line = False, "pass"  # an evaluation has no --timeout
        (folder / f"{name}.py").write_text(HEAD + METRIC.format(name=name, view=view, body=line))
    return Try(
        f"plugins/metric {line}", command, frozenset({0, 2}), lambda end: judge_score(end, bad)
    )


def an_extractor(random, folder, name):
    """An extractor in an evaluation."""
    text, what, bad = fill(EXTRACTOR, random, name, "extractor", ("init", "protocol", "extract"))
    if FOREVER in text:
        text, bad = text.replace(FOREVER, "pass"), False
    (folder / f"{name}.py").write_text(text)
    command = [
        "evaluate",
        "a.npy",
        "-r",
        "b.npy",
        "--metrics",
        "fid",
        "--features",
        name,
        "--plugin",
        f"{name}.py",
        "--json",
        "--no-cache",
    ]
    return Try(
        f"plugins/extractor {what}", command, frozenset({0, 2}), lambda end: judge_score(end, bad)
    )


def judge_score(end: End, bad: bool):
    """Scores are of the points as they were, in JSON alone."""
    if end.code:
        return None
    if end.json is None:
        return "silent wrong", f"standard output is not JSON alone: {end.out[:80]!r}"
    if bad:
        return "silent wrong", "exit 0 after the points were changed"
    return None


def a_module(random, folder, name):
    """A file that cannot be imported, or registers something odd."""
    line = random.choice(
        (
            *RAISES,
            "syntax error here",
            "import no_such_module_x",
            "",
            "\x00",
            "model('gan')(object)",
            f"metric('{name}', view='odd', columns={{}})(len)",
            f"model('{name}')(3)",
            f"dataset('{name}')(None)",
            "sys.modules.clear()" if False else "pass",
        )
    )
    (folder / f"{name}.py").write_text(HEAD + line + "\n")
    verb = random.choice(
        (
            ["list", "models"],
            ["show", "gan"],
            ["run", "-m", name, "-d", "ring", "--dry-run"],
            ["test-plugin", f"{name}.py"],
        )
    )
    args = verb if verb[0] == "test-plugin" else [*verb, "--plugin", f"{name}.py"]
    return Try(f"plugins/module {line}", args, frozenset({0, 1, 2}))


MAKERS = {
    "model": a_model,
    "dataset": a_dataset,
    "metric": a_metric,
    "extractor": an_extractor,
    "module": a_module,
}
