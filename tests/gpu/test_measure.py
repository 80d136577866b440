"""The scripts for machines with a GPU run on the CPU, with tiny sizes."""

import subprocess
import sys
from pathlib import Path


def test_it_runs_on_the_cpu():
    script = Path(__file__).parent / "measure.py"
    run = subprocess.run(
        [sys.executable, script, "--tiny", "--device", "cpu"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("## ") == 8
    assert "gaps: median 0, largest 0" in run.stdout, "the CPU agrees with itself"
    assert "float32, times a loop over seeds" in run.stdout
    assert "images per second" in run.stdout
    summary = run.stdout.partition("## summary: measured, asked")[2].splitlines()
    assert any(line.split()[:1] == ["agreement"] and line.endswith("1e-06") for line in summary)


def test_hours_of_suites_are_reckoned_on_the_cpu():
    script = Path(__file__).parent / "suites.py"
    how = ["--device", "cpu", "--only", "captioning_gpu", "--seeds", "1", "--seconds", "0.01"]
    run = subprocess.run([sys.executable, script, *how], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    rows = [line for line in run.stdout.splitlines() if "rounds/s of 1 seeds" in line]
    assert len(rows) == 2, "with the image and without"
    hours = [float(row.rsplit(", ", 1)[1].split()[0]) for row in rows]
    total = float(run.stdout.partition("## captioning_gpu: ")[2].split()[0])
    assert abs(total - sum(hours)) <= 0.02
