"""The workflow's step and the example of a hook in docs/ci.md, run as they stand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from simulate import COLUMNS, Fabricated, accepted

from genbench.cli import main
from genbench.report.gate.baseline import to_text
from genbench.store import Store

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/genbench.yml").read_text())
STEPS = {step["name"]: step["run"] for step in WORKFLOW["jobs"]["gate"]["steps"] if "run" in step}


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Runs bash in an empty folder where `genbench` is this one."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/genbench"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m genbench "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(name, str(tmp_path / name))

    def shell(script):
        command = ["bash", "-e", "-o", "pipefail", "-c", script]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return shell


def test_the_workflows_check_tells_what_it_found(shell, tmp_path, monkeypatch):
    rng, store = np.random.default_rng(0), Store(tmp_path / "candidate")
    values = rng.normal(size=(16, len(COLUMNS), 5))
    rows = Fabricated(range(5))(values)
    (tmp_path / "ci.json").write_text(to_text(accepted(rows)))
    monkeypatch.setenv("BASELINE", "ci.json")
    values[0, 0] += 40
    for row in Fabricated(range(5))(values)[:5]:
        store.write(row)
    done = shell(STEPS["Check"])
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "code=1\n"
    told = (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert told.startswith(
        "### genbench check: failed\n\n1 regression, 15 missing; 12 scores tested."
    )
    assert 'failures="16"' in (tmp_path / "junit.xml").read_text()


def test_the_workflow_is_reusable_and_its_script_reads_only_what_it_declares():
    calls = WORKFLOW[True]["workflow_call"]["inputs"]  # YAML reads the key `on` as true
    gate = WORKFLOW["jobs"]["gate"]
    used = set(re.findall(r"inputs\.(\w+)", str(gate)))
    assert used == set(calls)
    assert all("${{" not in script for script in STEPS.values()), (
        "inputs reach scripts as variables"
    )
    assert set(re.findall(r"\$\{?([A-Z]+)\b", " ".join(STEPS.values()))) <= {
        *gate["env"],
        "GITHUB",
    }


def test_the_hook_of_the_page_passes_on_unchanged_code(tmp_path, monkeypatch, capsys):
    section = (ROOT / "docs/ci.md").read_text()
    (suite,) = [b for b in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL) if "suites:" in b]
    (hook,) = [b for b in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) if "run guard" in b]
    run, check = hook.strip().splitlines()
    accept = (
        "genbench baseline accept --suite guard --config guard.yaml --from .guard --to guard.json"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")
    quick = suite.replace("steps: 200", "steps: 20").replace("samples: 1000", "samples: 200")
    assert quick != suite
    (tmp_path / "guard.yaml").write_text(quick)
    for line in (run, accept, run, check):
        with pytest.raises(SystemExit) as end:
            main(shlex.split(line)[1:])
        assert not end.value.code, line
    assert "passed: nothing worse; 10 scores tested" in capsys.readouterr().out
