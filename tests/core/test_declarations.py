"""What a plugin says of itself is refused at registration, in one sentence with its file."""

import subprocess
import sys

import pytest

from genbench.core.claim import CLAIMS
from genbench.core.dataset import DataSpec, open_named
from genbench.core.errors import ContractError, GenbenchError
from genbench.core.guard import blamed
from genbench.core.metric import METRICS
from genbench.core.model import MODELS, build
from genbench.core.registry import load_plugin
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.extractors import make_extractor
from genbench.running.evidence import ClaimEvidence
from genbench.store import Store

MODEL = """
import numpy as np

from genbench import Model, model
from genbench.core.search import Choice, LogUniform, Uniform

@model({name!r})
class Mine(Model):
    taxonomy = "implicit/direct"
    {line}
"""
DATA = """
import torch
from genbench import DataSpec, Dataset, dataset

@dataset({name!r})
class Mine(Dataset):
    spec = DataSpec("mine", (2,))
    {line}

    def points(self, split):
        return torch.zeros(4, 2)
"""
EXTRACTOR = """
from genbench import extractor
from genbench.core.feature import Extractor

@extractor({name!r})
class Mine(Extractor):
    {line}
    def extract(self, x):
        return x
"""
METRIC = """
from genbench import metric
from genbench.core.metric import Column

@metric({name!r}, {line})
def mine(real, fake, *, rng):
    return 0.0 / 0
"""
CLAIM = """
from genbench.core.claim import Run, claim

@claim({name!r}, statement="a", source="b", why="c", {line})
def mine(evidence):
    return []
"""
EXECUTOR = """
from genbench.running.executor import Executor, executor

@executor({name!r})
class Mine(Executor):
    {line}
"""
GOOD = 'view="points", columns={"c": Column("lower", "m")}'
REFUSED = [
    (MODEL, "taxonomy = 'implicit/dirct'", "did you mean 'implicit/direct'"),
    (MODEL, "taxonomy = None", "needs taxonomy = one of 'explicit/tractable/fully visible', "),
    (MODEL, "version = '1'", "version = a whole number, 1 or more, got '1'"),
    (MODEL, "year = '2017'", "year = a whole number, got '2017'"),
    (MODEL, "family = ('moment',)", "family = a text"),
    (MODEL, "recorded = 'x'", "recorded = a tuple of texts, got 'x'"),
    *(
        (MODEL, f"search = {space}", "search = what tuning may choose, {name of an option, or ")
        for space in (
            *("['lr']", "{'lr': (0.1, 0.2)}", "{3: Uniform(0, 1)}"),
            *("{'lr': LogUniform(0, 1)}", "{'lr': LogUniform(1e-2, 1e-4)}"),
            *("{'lr': Uniform('a', 1)}", "{'lr': Uniform(0, float('inf'))}"),
            "{'lr': LogUniform(np.float32(1e-3), np.float32(1e-2))}",  # which no file holds
            "{'lr': Uniform(0, 10**400)}",
            *("{'width': Choice(())}", "{'lr': Choice((float('nan'),))}", "{'x': Choice(({1},))}"),
            *("{'width': Choice({1, 2})}", "{'width': Choice({1: 2})}", "{'kind': Choice('ab')}"),
            *("{'width': Choice(k for k in (1, 2))}", "{'x': Uniform(-1e308, 1e308)}"),
            "{'lr': LogUniform(1e-310, 1.0)}",
            *("{'training.rate': Uniform(1, 2)}", "{'training.decay': Choice(('steep', None))}"),
        )
    ),
    (DATA, "version = 0", "version = a whole number, 1 or more, got 0"),
    (DATA, "quality = ('fid',)", "quality = a genbench.core.quality.Quality, or None"),
    (EXTRACTOR, "version = None", "version = a whole number, 1 or more, got none"),
    (METRIC, GOOD.replace("points", "point"), "did you mean 'points'"),
    (METRIC, GOOD.replace("lower", "less"), "the column 'c' with better = one of 'lower', "),
    (METRIC, GOOD.replace('"m"', "None"), "the column 'c' with unit = a text, got none"),
    (METRIC, 'view="points", columns={}', "columns = columns, {id: Column}"),
    (METRIC, 'view="points", columns={"c": "lower"}', "needs a genbench.core.metric.Column"),
    (METRIC, GOOD + ', beside=("fid")', "beside = a tuple of texts, got 'fid'"),
    (
        METRIC,
        GOOD.replace('"m"', '"m", worst_if=("no mode")'),
        "worst_if = a tuple of texts, got 'no mode'",
    ),
    *(
        (METRIC, GOOD.replace('"m"', f'"m", {given}'), said)
        for given, said in (
            ("scale='lg'", "the column 'c' with scale = one of 'linear', 'log', 'logit', or None"),
            ("resolution=-1", "the column 'c' with resolution = a number, 0 or more, got -1"),
            ("tolerance=0.1", "tolerance = a genbench.core.tolerance.Tolerance, or None, got 0.1"),
            ("alias='fid'", "alias = a genbench.core.metric.Alias, or None, got 'fid'"),
        )
    ),
    (METRIC, GOOD + ", moments=3", "moments = a function, or None, got 3"),
    (
        METRIC,
        GOOD.replace('"c"', '"coverage"'),
        "needs a name and columns of its own, but 'coverage' is a column of the metric 'prdc'",
    ),
    (METRIC, GOOD + ", version=True", "version = a whole number, 1 or more, got True"),
    (CLAIM, "runs=Run('gan', 'ring', ('mmd',))", "runs = a tuple of Runs"),
    (CLAIM, "seeds='8'", "seeds = a whole number, got '8'"),
]
KINDS = {MODEL: "", DATA: "", EXTRACTOR: "", METRIC: GOOD, CLAIM: "", EXECUTOR: "pass"}
pytestmark = pytest.mark.usefixtures("registered")


def write(folder, text, line, name="mine"):
    path = folder / "my_plugin.py"
    path.write_text(text.format(name=name, line=line))
    return path


def load(folder, text, line, name="mine"):
    with pytest.raises(ContractError) as caught:
        load_plugin(str(write(folder, text, line, name)))
    message = str(caught.value)
    assert "my_plugin.py" in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "line", "said"), REFUSED, ids=[f"{row[1][:30]} {row[2][:40]}" for row in REFUSED]
)
def test_what_cannot_be_is_refused_with_what_is_allowed(tmp_path, text, line, said):
    assert said in load(tmp_path, text, line)


@pytest.mark.parametrize("name", ["my model/x", "a:b", "", "-m", "../x"])
@pytest.mark.parametrize(
    "text", KINDS, ids=["model", "data", "extractor", "metric", "claim", "executor"]
)
def test_names_that_no_folder_and_no_command_takes_are_refused(tmp_path, text, name):
    assert "needs a name of letters, digits, _ . -" in load(tmp_path, text, KINDS[text], name)


@pytest.mark.parametrize(
    "text", KINDS, ids=["model", "data", "extractor", "metric", "claim", "executor"]
)
def test_others_are_let_through(tmp_path, text):
    load_plugin(str(write(tmp_path, text, KINDS[text])))


def test_a_metric_that_is_called_as_a_column_of_another_is_refused(tmp_path):
    """A suite that names the column would have been measured by the metric."""
    assert "but 'recall' is a column of the metric 'prdc'" in load(
        tmp_path, METRIC, GOOD, "recall"
    )


def test_what_is_no_class_of_its_kind_is_refused(tmp_path):
    for text, base in ((MODEL, "Model"), (DATA, "Dataset"), (EXTRACTOR, "Extractor")):
        message = load(tmp_path, text.replace(f"({base}):", ":"), "")
        assert message.endswith(f".{base}")


def test_a_data_set_without_a_spec_is_refused_when_it_is_opened(tmp_path):
    text = DATA.replace('spec = DataSpec("mine", (2,))', "pass")
    load_plugin(str(write(tmp_path, text, "")))
    with pytest.raises(
        ContractError, match=r"my_plugin.py\) needs spec = a genbench.DataSpec, got none"
    ):
        open_named("mine")


def test_a_class_with_methods_to_be_written_is_named_with_its_file(tmp_path):
    load_plugin(str(write(tmp_path, EXTRACTOR.replace("def extract(", "def extrac("), "")))
    with pytest.raises(
        ContractError,
        match=r"class Mine in .*my_plugin.py\) is abstract: it has no extract and no protocol",
    ):
        make_extractor(Part(name="mine"), None)


def test_a_call_that_does_not_fit_is_blamed_on_the_plugin(tmp_path):
    path = write(tmp_path, METRIC, GOOD)
    load_plugin(str(path))
    function = METRICS.get("mine").function
    with pytest.raises(GenbenchError, match=r"my_plugin.py:\d+; repair it"), blamed("m", function):
        function(1, 2, rng=None)
    with pytest.raises(GenbenchError, match=r"\(class Mine in .*my_plugin.py\); repair it"):
        blame_wrong_call(tmp_path)


def blame_wrong_call(folder):
    """Builds, by genbench's own line, a model whose constructor takes other arguments."""
    line = "def __init__(self):\n        pass\n    players = sample = None"
    load_plugin(str(write(folder, MODEL, line, "other")))
    cls = MODELS.get("other")
    with blamed("model other", cls):
        build("other", DataSpec("mine", (2,)), Rng([0]))


READING = "runs=(Run('gan', 'ring', ('modes',)),)"


@pytest.mark.parametrize(
    ("line", "result", "said"),
    [
        (READING, "None", "my_plugin.py) needs to return Effects, got None"),
        (READING, "[1]", "my_plugin.py) needs to return Effects, got [1]"),
        (
            READING,
            "evidence.scores(Run('gan', 'ring', ('modes',)), 'mode')",
            "claim mine reads 'mode' of gan on ring, which its metrics do not fill: modes",
        ),
        (READING, "evidence.measured('x')", "reads 'x' of an experiment and has none"),
    ],
)
def test_a_claim_that_reads_or_returns_what_is_not_there_is_one_sentence(
    tmp_path, line, result, said
):
    """It ended in a traceback, or was inconclusive for ever where a column's name was misspelt."""
    text = CLAIM.replace("return []", f"return {result}")
    load_plugin(str(write(tmp_path, text, line)))
    evidence = ClaimEvidence(CLAIMS.get("mine"), Store(tmp_path))
    with pytest.raises(ContractError) as caught:
        evidence.effects()
    assert said in str(caught.value)


def test_a_plugin_that_registers_nothing_is_told_of(tmp_path):
    path = tmp_path / "nothing.py"
    path.write_text("x = 1\n")
    command = [sys.executable, "-m", "genbench", "list", "models", "--plugin", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "needs to register a plugin, got none; decorate it with one of @model" in done.stderr
