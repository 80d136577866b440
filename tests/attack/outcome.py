"""One try: a command line in this process, how long it takes, how it ends, and what is wrong with that."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from genbench.cli import main

#: seconds after which a try counts as a hang
PATIENCE = 60.0
#: what a try can do wrong, in the order of the table
FAULTS = ("traceback", "wrong exit", "hang", "silent wrong", "lost")
#: the exit codes that are documented, but for 70, an error that nobody expected
CODES = frozenset({0, 1, 2, 3, 4})


class Hang(BaseException):
    """A try took too long."""


@dataclass
class End:
    """How a try ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """What the standard output holds; None where it is not JSON alone."""
        try:
            return json.loads(self.out)
        except ValueError:
            return None


@dataclass
class Try:
    """A command and what it may do.

    Arguments:
        name: What is attacked, for the list of faults.
        args: The command line.
        codes: The exit codes that are right.
        judge: Returns a fault and a sentence, or None; called with the end.
        stdout: Replaces the standard output.
    """

    name: str
    args: list[str]
    codes: frozenset[int] = CODES
    judge: Callable[[End], tuple[str, str] | None] = lambda end: None
    stdout: Callable[[], io.TextIOBase] | None = None
    environment: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Tally:
    """What a fuzzer found."""

    tried: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in FAULTS})


Fuzzer = Callable[[Random, Path], Iterator[Try]]


def attack(fuzzer: Fuzzer, count: int, seed: int, folder: Path) -> Tally:
    """Makes so many tries of a fuzzer, in a folder of its own."""
    tally = Tally()
    folder.mkdir(parents=True, exist_ok=True)
    with working_in(folder):
        for trial in fuzzer(Random(seed), folder):
            if tally.tried == count:
                break
            tally.tried += 1
            for kind, text in judge(trial, tally.codes):
                command = " ".join(trial.args)
                tally.faults[kind].append(f"{trial.name}: {text} | genbench {command}"[:600])
    return tally


def judge(trial: Try, codes: dict[int, int]) -> Iterator[tuple[str, str]]:
    """Yields what is wrong with a try, and counts its exit code."""
    try:
        end = call(trial)
    except Hang:
        yield "hang", f"longer than {PATIENCE:g} s"
        return
    except BaseException as error:
        yield "traceback", f"{type(error).__name__}: {error}"
        return
    codes[end.code] = codes.get(end.code, 0) + 1
    if end.code == 70 or "Traceback (most recent call last)" in end.err + end.out:
        yield "traceback", end.err.strip()[-300:]
    elif end.code not in trial.codes:
        yield "wrong exit", f"{end.code}, not of {sorted(trial.codes)}: {end.err.strip()[-200:]}"
    elif end.code == 2 and not (end.err.strip() and sentences(end.err)):
        yield "wrong exit", f"2 without a sentence: {end.err[:200]!r}"
    else:
        fault = trial.judge(end)
        if fault is not None:
            yield fault


def sentences(text: str) -> bool:
    """Whether an error is a sentence of genbench's, or click's own usage."""
    return "genbench: " in text or "Usage: " in text or "not read: " in text


def call(trial: Try) -> End:
    """Runs a command line in this process."""
    out = io.StringIO() if trial.stdout is None else trial.stdout()
    err = io.StringIO()
    with environment(trial.environment), alarm(PATIENCE), quiet():
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err
        try:
            main(trial.args)
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        finally:
            sys.stdout, sys.stderr = before
    text = out.getvalue() if isinstance(out, io.StringIO) else ""
    return End(code, text, err.getvalue())


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raises Hang in its body after so many seconds, again and again; a run's own alarms are kept apart."""

    def ring(*_):
        raise Hang

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 5.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Warnings are no faults here; a terminal has 100 columns."""
    with warnings.catch_warnings(), environment({"COLUMNS": os.environ.get("COLUMNS", "100")}):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def environment(values: dict[str, str | None]) -> Iterator[None]:
    """Sets variables for its body; None takes one away."""
    before = {key: os.environ.get(key) for key in values}
    set_variables(values)
    try:
        yield
    finally:
        set_variables(before)


def set_variables(values: dict[str, str | None]) -> None:
    """Sets environment variables; None takes one away."""
    for key, value in values.items():
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Changes to a folder for its body."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
