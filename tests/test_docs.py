"""The documents' examples run as they stand."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from genbench.cli import VERBS

ROOT = Path(__file__).parent.parent


def blocks(document: str, language: str) -> list[str]:
    """Returns a document's fenced blocks of a language."""
    text = (ROOT / document).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def genbench(*args: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "genbench", *args],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_worked_model_of_contributing_trains(tmp_path):
    source = blocks("CONTRIBUTING.md", "python")[0]
    (tmp_path / "lsgan_example.py").write_text(source)
    commands = blocks("CONTRIBUTING.md", "sh")[0]
    run, report = (shlex.split(line)[1:] for line in commands.strip().splitlines())
    quick = [*run[: run.index("--seeds")], "--seeds", "2", "--steps", "20", "--json"]
    done = genbench(*quick, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)
    assert {(cell["model"], cell["status"]) for cell in cells} == {
        ("lsgan_example", "ok"),
        ("gan", "ok"),
    }
    assert genbench(*report, cwd=tmp_path).returncode == 0
    leaderboard = (tmp_path / "report" / "leaderboard.csv").read_text()
    assert "lsgan_example" in leaderboard


def test_the_worked_claim_of_contributing_is_judged(tmp_path):
    (tmp_path / "coverage_example.py").write_text(blocks("CONTRIBUTING.md", "python")[1])
    lines = blocks("CONTRIBUTING.md", "sh")[1].strip().splitlines()
    run, claims = (shlex.split(line)[1:] for line in lines)
    planned = genbench(*run, cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "16 to train" in planned.stdout
    done = genbench(*claims, "--no-run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["id"], row["verdict"]) == ("coverage-example", "inconclusive")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_every_command_in_the_documents_exists(document):
    for block in blocks(document, "sh"):
        for line in block.strip().splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"]:
                assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(), line
            elif words[:1] == ["genbench"]:
                assert words[1] in VERBS, line
                help_text = genbench(words[1], "--help", cwd=ROOT).stdout
                flags = [word for word in words if word.startswith("-")]
                assert all(
                    re.search(rf"(?<![\w-]){re.escape(f)}(?![\w-])", help_text) for f in flags
                ), line


def test_paths_named_in_the_documents_exist():
    for document in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        for path in re.findall(
            r"`((?:genbench|tests)/[\w/.]+\.py)`", (ROOT / document).read_text()
        ):
            assert (ROOT / path).exists() or "example" in path, f"{document} names {path}"
