"""What the workflow for submitted results writes under a pull request, run as it stands."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from report_records import record

from genbench.store import Store

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/results.yml").read_text())
COMMENT = yaml.safe_load((ROOT / ".github/workflows/results-comment.yml").read_text())
STEPS = {s["name"]: s["run"] for s in WORKFLOW["jobs"]["results"]["steps"] if "run" in s}


@pytest.fixture
def compare(store, tmp_path, monkeypatch):
    """Two folders of results, of which the second has a new row; runs the step on them."""
    base, head = Store(tmp_path / "base/results"), Store(tmp_path / "head/results")
    for seed in range(5):
        old = record(store, "vae", "ring", seed, with_samples=False)
        new = record(store, "gan", "ring", seed, with_samples=False)
        base.write(old)
        head.write(old)
        head.write(new)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/genbench"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m genbench "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("NUMBER", "12")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))

    def compare():
        command = ["bash", "-e", "-o", "pipefail", "-c", STEPS["Compare"]]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
        return done, (tmp_path / "comment/body.md").read_text()

    return compare


def test_sound_records_are_compared_and_damaged_ones_named(compare, tmp_path):
    done, body = compare()
    assert done.returncode == 0, done.stderr
    assert body.startswith("The records are sound.\n")
    assert "### What changes in the leaderboards" in body
    assert "| new row | ring | gan" in body
    assert (tmp_path / "comment/number").read_text() == "12\n"
    assert (tmp_path / "summary").read_text() == body
    path = next((tmp_path / "head/results/ring/gan").glob("*.json"))
    path.write_text("{}")
    done, body = compare()
    assert done.returncode == 1
    assert body.startswith("**The records are not sound.**")
    assert path.name in body


def test_names_of_files_write_nothing_else_into_the_comment(compare, tmp_path):
    folder = tmp_path / "head/results/ring/gan"
    (folder / "a\n```\n**The records are sound.**.txt").write_text("")
    (folder / "b\n```\n**The records are sound.**\x1b.json").write_text("")
    done, body = compare()
    assert done.returncode == 1
    assert body.count("\n```") == 2
    assert "\\n```\\n**The records are sound.**\\x1b.json is not a record" in body
    assert "**The records are sound.**.txt" not in body


def test_what_cannot_be_compared_is_said_in_the_comment(compare, tmp_path):
    shutil.rmtree(tmp_path / "base")
    done, body = compare()
    assert done.returncode == 2
    assert body.startswith("The records are sound.\n")
    assert body.endswith("The leaderboards could not be compared.\n")


def test_a_comment_is_no_longer_than_github_takes(compare, tmp_path):
    program = tmp_path / "bin/genbench"
    program.write_text("#!/bin/sh\nyes 'äöü' | head -n 20000\n")
    done, body = compare()
    assert done.returncode == 0, done.stderr
    assert len(body.encode()) < 65536
    assert body.startswith("The records are sound.\n")
    assert body.endswith("\nThe rest stands in the summary of the run.\n")


def test_only_the_second_workflow_may_write_and_it_checks_what_it_is_given():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in str(WORKFLOW)
    job = COMMENT["jobs"]["comment"]
    assert job["permissions"]["pull-requests"] == "write"
    script = job["steps"][-1]["run"]
    assert '[ "$head" = "$HEAD" ]' in script
    assert "--edit-last --create-if-none" in script
