"""What a run shows: a table on a terminal, lines elsewhere, and nothing but failures if asked."""

import os
import pty
import select
import subprocess
import sys
import time
from io import StringIO

import pytest
import yaml
from rich.console import Console
from small_suites import SUITE

from genbench.cli.execution import ConsoleListener
from genbench.cli.progress import EVERY, Display, clock_text
from genbench.core.spec import Budget, CellSpec
from genbench.running.job import Progress, RunSettings, StackJob, Stage
from genbench.store import Measurement, Record, Store, Used

RUN = [sys.executable, "-m", "genbench", "run", "tiny", "-c", "suites.yaml", "--device", "cpu"]
STEPS = {"budget": {"seconds": 2.2}, "seeds": 2}


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def spec(seed):
    given = {"options": {}, "budget": Budget(steps=700), "batch": 8}
    versions = {"model_version": 1, "dataset_version": 1}
    return CellSpec(model="gan", dataset="ring", seed=seed, **given, **versions)


def job(seeds=2):
    return StackJob(specs=tuple(spec(seed) for seed in range(seeds)), settings=RunSettings())


def record(seed, **changed):
    about = spec(seed)
    score = Measurement(id="fid", metric="fid", version=1, protocol="p", value=3.0 + seed)
    given = {"status": "ok", "used": Used(seconds=12.5), "metrics": [score]} | changed
    return Record(cell=about.cell, group=about.group, spec=about, **given)


def display(clock, jobs, *, terminal=False, **given):
    out = StringIO()
    console = Console(file=out, width=120, force_terminal=terminal, no_color=True)
    return Display(console, jobs, clock=clock, **given), out


def go(shown, clock):
    """One job that trains for a hundred seconds, tells it every second, and ends well."""
    shown.report(0, Progress("build", 0.0))
    for step in range(101):
        shown.report(0, Progress("train", step / 100, step * 7, ("mmd", 1 / (1 + step))))
        clock.now += 1
    shown.finished(0, [record(seed) for seed in range(2)])


def test_lines_are_few_and_say_all(clock):
    shown, out = display(clock, [job()])
    with shown:
        go(shown, clock)
    lines = out.getvalue().splitlines()
    assert lines[0] == "start  gan on ring × 2"
    assert lines[1] == f"train  gan on ring × 2: 30%, 7 steps/s, 1:10 left, mmd {1 / 31:.3g}"
    assert lines[-1] == "done   gan on ring: 2 of 2 ok, trained 12.5 s, fid 3.5"
    assert len(lines) == 2 + 100 // EVERY
    assert "\x1b" not in out.getvalue()


def test_quiet_shows_failures_alone(clock):
    shown, out = display(clock, [job()], quiet=True)
    with shown:
        go(shown, clock)
        assert out.getvalue() == ""
        shown.finished(0, [record(3, status="error", reason="it [b]broke[/b]")])
    assert out.getvalue() == "error  gan on ring seed 3: it [b]broke[/b]\n"


def test_failures_that_are_not_told_one_by_one_are_counted(clock):
    shown, out = display(clock, [job()], quiet=True)
    statuses = ("error", "error", "error", "oom", "error", "oom", "ok")
    rows = [record(k, status=status, reason="x") for k, status in enumerate(statuses)]
    shown.finished(0, rows)
    assert out.getvalue().splitlines()[3:] == ["and 3 more of gan on ring: 2 oom, 1 error"]


def test_a_line_of_a_log_stays_one_line_and_a_terminal_wraps_it(clock):
    reason = "a reason with many words " * 10
    for terminal, count in ((False, 2), (True, 4)):
        shown, out = display(clock, [job()], terminal=terminal)
        shown.finished(0, [record(3, status="error", reason=reason.strip())])
        assert len(out.getvalue().splitlines()) == count


def test_what_a_run_prints_keeps_its_brackets(tmp_path):
    out = StringIO()
    listener = ConsoleListener(Store(tmp_path), Console(file=out, width=40, no_color=True))
    text = f"trials: [a]/tuning/   next: genbench tune {'-m gan ' * 9}-o '[a]'"
    listener.print(text)
    assert out.getvalue() == text + "\n"


def test_verbose_shows_all_that_jobs_say(clock):
    shown, out = display(clock, [job()], verbose=True)
    with shown:
        go(shown, clock)
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["start  gan on ring × 2", "build  gan on ring × 2"]
    assert len([line for line in lines if line.startswith("train")]) == 101


def test_a_terminal_gets_a_table_of_the_jobs_in_hand(clock):
    shown, out = display(clock, [job(), job()], terminal=True)
    with shown:
        shown.report(0, Progress("train", 0.0, 0))
        clock.now += 10
        shown.report(0, Progress("train", 0.25, 500, ("mmd", 0.0123)))
        shown.report(1, Progress("build", 0.0))
        shown.live.refresh()
        console = Console(file=StringIO(), width=120)
        console.print(shown.table())
        head, first, second, *_, last = console.file.getvalue().splitlines()
        assert head.split() == ["cell", "seeds", "phase", "speed", "time", "left", "last", "score"]
        assert first.split()[:5] == ["gan", "on", "ring", "2", "train"]
        assert first.split()[-6:] == ["50", "steps/s", "0:30", "left", "mmd", "0.0123"]
        assert second.split()[:5] == ["gan", "on", "ring", "2", "build"]
        assert last.strip() == "0 of 2 jobs done"
        shown.finished(0, [record(0)])
        shown.report(1, Progress("train", 0.5, 9))
        assert shown.table().row_count == 1
        assert str(shown.table().caption) == "1 of 2 jobs done, about 0:04 left"
    assert "0.0123" in out.getvalue()
    assert "done   gan on ring: 1 of 1 ok" in out.getvalue()


def test_a_phase_has_its_own_speed_and_a_resumed_one_no_false_one(clock):
    shown, _ = display(clock, [job()])
    shown.report(0, Progress("resumed", 0.5, 1000))
    clock.now += 50
    shown.report(0, Progress("train", 0.5, 1000))
    clock.now += 10
    shown.report(0, Progress("train", 0.6, 1200))
    going = shown.running[0]
    assert (going.rate(clock.now), going.remaining(clock.now)) == ("20 steps/s", "0:40 left")


def test_jobs_that_are_tried_again_are_told(clock):
    shown, out = display(clock, [job()])
    shown.report(0, Progress("train", 0.1, 5))
    shown.finished(0, [])
    assert out.getvalue().splitlines()[-1] == "again  gan on ring × 2"
    assert shown.running == {}


def test_times_are_minutes_or_hours():
    assert [clock_text(s) for s in (0.2, 65, 3599.5, 7322)] == [
        "0:01",
        "1:05",
        "1:00:00",
        "2:02:02",
    ]


def test_a_job_speaks_once_a_second_at_most(monkeypatch):
    clock, heard, asked = Clock(), [], []
    monkeypatch.setattr("genbench.running.job.time.monotonic", clock)
    stage = Stage(heard.append)
    stage.enter("train")
    for i in range(1000):
        clock.now += 0.01
        stage.tell(i / 1000, i, lambda: asked.append(1) or ("mmd", 0.5))
    assert 9 <= len(heard) - 1 <= 11
    assert len(asked) == len(heard) - 1
    assert heard[-1].score == ("mmd", 0.5)


@pytest.fixture
def folder(tmp_path):
    text = yaml.safe_dump({"schema": 1, "suites": {"tiny": SUITE | STEPS}})
    (tmp_path / "suites.yaml").write_text(text)
    return tmp_path


def on_a_terminal(folder, *args, **changed):
    """Runs the suite with a pseudo-terminal as its output; returns what a screen would get."""
    master, slave = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"} | changed
    process = subprocess.Popen(
        [*RUN, *args], cwd=folder, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    said, until = b"", time.monotonic() + 120
    while time.monotonic() < until:
        if select.select([master], [], [], 1.0)[0]:
            try:
                more = os.read(master, 65_536)
            except OSError:
                break
            if not more:
                break
            said += more
    assert process.wait(timeout=30) == 0
    os.close(master)
    return said.decode()


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_a_real_run_on_a_terminal_shows_speed_and_time_left(folder, executor):
    said = on_a_terminal(folder, "--executor", executor, "--jobs", "1")
    for word in ("last score", "gan on ring", "steps/s", " left", "fid "):
        assert word in said
    assert "\x1b[2K" in said
    assert "done   gan on ring: 2 of 2 ok" in said


def test_no_color_takes_the_colours(folder):
    said = on_a_terminal(folder, NO_COLOR="1")
    assert "last score" in said
    assert "\x1b[3" not in said.replace("\x1b[39m", "")


def test_what_is_no_terminal_gets_plain_lines(folder, genbench, monkeypatch):
    monkeypatch.chdir(folder)
    code, out, _ = genbench(*RUN[3:], "--steps", "20")
    assert code == 0
    assert "\x1b" not in out
    assert "start  gan on ring × 2\n" in out
    assert "done   gan on ring: 2 of 2 ok, trained" in out


def test_quiet_and_verbose_are_refused_together(folder, genbench, monkeypatch):
    monkeypatch.chdir(folder)
    said = "genbench: run needs --quiet or --verbose, got both; leave one out\n"
    assert genbench(*RUN[3:], "--quiet", "--verbose") == (2, "", said)
