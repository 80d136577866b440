"""What becomes of the output costs nothing else, and an error that nobody expected is none of a check's."""

import errno
import io
import json
import os
import subprocess
import sys

import pytest

from genbench.cli.streams import Output, json_alone
from genbench.core.errors import DataError
from genbench.evaluation.selftest import Ladder

SUITE = """schema: 1
suites:
  tiny:
    description: a test
    seeds: 2
    batch: 8
    budget: {steps: 2}
    samples: 60
    metrics: [fid]
    curve: 1
    cells: [{models: [gaussian], datasets: [ring]}]
"""


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GENBENCH_DEBUG", raising=False)
    (tmp_path / "tiny.yaml").write_text(SUITE)
    return genbench


RUN = ("run", "tiny", "-c", "tiny.yaml")


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            ZeroDivisionError("by me"),
            70,
            "nobody expected, ZeroDivisionError at test_quiet_streams.py",
        ),
        (DataError("not\nthat"), 2, "genbench: not that"),
        (MemoryError(), 2, "the memory ran out"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_every_error_is_one_sentence_and_a_code(genbench, monkeypatch, error, code, says):
    def fail(config):
        raise error

    monkeypatch.setattr("genbench.cli.common.suites", fail)
    monkeypatch.setattr("genbench.cli.is_foreign", lambda error: False)
    actual, out, err = genbench("list", "suites")
    assert (actual, out) == (code, "")
    assert says in err
    assert len(err.strip().splitlines()) == 1


def test_the_traceback_is_printed_where_it_is_asked_for(genbench, monkeypatch):
    def fail(config):
        raise ZeroDivisionError

    monkeypatch.setattr("genbench.cli.common.suites", fail)
    monkeypatch.setattr("genbench.cli.is_foreign", lambda error: False)
    monkeypatch.setenv("GENBENCH_DEBUG", "")  # taken back after the test
    code, _, err = genbench("--debug", "list", "suites")
    assert code == 70
    assert "Traceback (most recent call last)" in err


def test_a_plugin_that_ends_the_program_does_not_end_it_well(genbench, tmp_path):
    (tmp_path / "ends.py").write_text("import sys\ndef f():\n    sys.exit(0)\n    yield\n")
    code, _, err = genbench("evaluate", "ends:f", "-r", "ring:test", "--metrics", "fid")
    assert code == 2
    assert "SystemExit" in err


class Broken(io.StringIO):
    """A stream that takes so many texts, then fails."""

    encoding = "ascii"

    def __init__(self, number, most):
        super().__init__()
        self.number, self.most = number, most

    def write(self, text):
        if self.most == 0:
            raise OSError(self.number, os.strerror(self.number))
        self.most -= 1
        return super().write(text)


def test_signs_that_cannot_be_shown_are_escaped_and_what_a_terminal_obeys_is_taken_out():
    stream = Broken(0, 99)
    output = Output(stream)
    assert output.write("3 × ±\n") == 6
    output.write("\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m\ttab\x9b\n")
    assert stream.getvalue() == "3 \\xd7 \\xb1\nred\ttab\n"


@pytest.mark.parametrize(
    ("number", "failure"), [(errno.EPIPE, ""), (errno.ENOSPC, "No space left on device")]
)
def test_a_stream_that_fails_takes_no_more_and_raises_nothing(number, failure):
    output = Output(Broken(number, 1))
    for text in ("a", "b", "c"):
        assert output.write(text) == 1
    output.flush()
    assert output.stream.getvalue() == "a"
    assert output.failure == failure


@pytest.mark.parametrize(("number", "code"), [(errno.EPIPE, 0), (errno.ENOSPC, 2)])
def test_a_run_whose_output_fails_trains_on(genbench, tmp_path, monkeypatch, number, code):
    monkeypatch.setattr(sys, "stdout", Broken(number, 1))
    actual, _, err = genbench(*RUN)
    assert actual == code
    assert ("standard output: No space left" in err) == (code == 2)
    assert len(list(tmp_path.glob("runs/ring/gaussian/*.json"))) == 2


def test_curves_that_cannot_be_written_do_not_cost_the_training(genbench, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    (tmp_path / "curves").mkdir()
    (tmp_path / "curves" / "ring").write_text("in the way")
    code, _, err = genbench(*RUN, "-m", "gan", "--tensorboard", "curves")
    assert code == 2  # gan is not of the suite
    (tmp_path / "tiny.yaml").write_text(
        SUITE.replace("gaussian", "{name: gan, options: {hidden: [4]}}")
    )
    code, _, err = genbench(*RUN, "--tensorboard", "curves")
    assert code == 3
    assert err.count("the run goes on without curves") == 1
    assert len(list(tmp_path.glob("runs/ring/gan/*.json"))) == 2


def test_a_run_says_by_its_exit_code_that_cells_are_in_other_hands(genbench, monkeypatch):
    from genbench.store.locks import Locks

    monkeypatch.setattr(Locks, "take", lambda self, cell: False)
    code, _, err = genbench(*RUN)
    assert code == 3
    assert "2 cells are being run by another process" in err


def test_json_stands_alone_whatever_plugins_and_their_libraries_print(tmp_path):
    """In a process of its own, since libraries and workers print past Python."""
    (tmp_path / "tiny.yaml").write_text(SUITE.replace("gaussian", "noisy"))
    (tmp_path / "noisy.py").write_text(
        "import os\nprint('on import')\nos.write(1, b'raw on import')\n"
        "from genbench.core.model import Model, model\n"
        "@model('noisy')\nclass Noisy(Model):\n    taxonomy = 'explicit/tractable/fully visible'\n"
        "    def players(self):\n        return ()\n"
        "    def sample(self, n, rng):\n        print('sampling'); os.write(1, b'raw')\n"
        "        return rng.normal(n, *self.spec.event)\n"
    )
    command = [sys.executable, "-m", "genbench", *RUN, "--plugin", "noisy.py", "--json"]
    variables = {**os.environ, "PYTHONIOENCODING": "ascii"}
    more = ["--executor", "processes", "--jobs", "1"]
    done = subprocess.run(
        [*command, *more], cwd=tmp_path, env=variables, capture_output=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert [row["status"] for row in json.loads(done.stdout)] == ["ok", "ok"]
    assert b"sampling" in done.stderr
    assert b"raw on import" in done.stderr


def test_json_in_a_process_without_descriptors_stands_alone_too(capsys):
    with json_alone() as out:
        print("noise")
        out.write("{}")
    told = capsys.readouterr()
    assert (told.out, told.err) == ("{}", "noise\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_was_closed_before_the_start_is_no_error(tmp_path, closed):
    command = f"{sys.executable} -m genbench list suites --json {closed}"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_numbers_that_json_lacks_are_null(genbench, monkeypatch):
    row = Ladder("fid", "ring", "noise", (1.0, float("inf"), None), float("nan"), 1)
    monkeypatch.setattr("genbench.evaluation.selftest.ladders", lambda requests: [row])
    _, out, _ = genbench("doctor", "--metrics", "fid", "--json")
    found = json.loads(out, parse_constant=lambda name: pytest.fail(name))["rows"][0]
    assert (found["values"], found["spread"]) == ([1.0, None, None], None)
