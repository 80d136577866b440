"""An afternoon of a user: the wheel in an empty folder, twelve lines of Python, and the same by commands."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TWELVE_LINES = """
import json, numpy, genbench
points = numpy.random.default_rng(0).normal(size=(300, 2))
numpy.save("mine.npy", points)
score = genbench.evaluate(points, "ring:test", metrics="mmd,prdc:neighbours=3", limit=2000)
vae = genbench.train("vae", "ring", seeds=2, steps=60)
gan = genbench.train("gan:lr=0.003", "ring", seeds=2, steps=60)
assert vae.sample(10).shape == gan.sample(10).shape == (2, 10, 2)
print(score, genbench.leaderboard(vae, gan), sep="\\n")
found = {r.cell: {m.id: m.value for m in r.metrics if m.split == "test"} for r in vae.records + gan.records}
density = vae.log_prob(vae.dataset.points("test")).mean(1).tolist()
json.dump([score.to_dict(), found, density], open("python.json", "w"))
"""
CONFIG = """
schema: 1
suites:
  mine:
    description: the same cells
    seeds: 2
    batch: 128
    budget: {steps: 60}
    metrics: [fid, kid, mmd, prdc, modes, nll, js_to_truth, {name: latency, options: {seconds: 0.25}}]
    samples: 2500
    cells:
      - models: [vae, {name: gan, options: {lr: 0.003}}]
        datasets: [ring]
"""
#: measured anew in every run
TIMED = ("latency", "samples_per_s")


def do(folder, *args):
    """Runs Python in a folder that has the installed wheel alone."""
    paths = {"PYTHONPATH": str(folder / "site"), "GENBENCH_CACHE": str(folder / "cache")}
    run = subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An empty folder with genbench installed from a wheel beside it."""
    folder = tmp_path_factory.mktemp("afternoon")
    pip = ["pip", "--disable-pip-version-check", "-q"]
    alone = ["--no-deps", "--no-build-isolation", "--no-index"]
    do(folder, "-m", *pip, "wheel", *alone, "-w", str(folder / "wheel"), str(ROOT))
    (wheel,) = (folder / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as content:  # all that installing does, but for the script
        content.extractall(folder / "site")
    return folder


def test_twelve_lines_of_python_and_the_command_line_agree(folder):
    printed = do(folder, "-c", TWELVE_LINES + "print(genbench.__file__)")
    assert str(folder / "site") in printed
    assert "### ring" in printed
    assert "vae" in printed
    score, cells, density = json.loads((folder / "python.json").read_text())

    told = do(
        *(folder, "-m", "genbench", "evaluate", "mine.npy", "-r", "ring:test", "--limit", "2000"),
        *("--metrics", "mmd,prdc:neighbours=3", "--json"),
    )
    metrics = json.loads(told)["metrics"]
    for column, row in score["metrics"].items():
        assert row["value"] == metrics[column]["value"], column

    (folder / "suites.yaml").write_text(CONFIG)
    do(folder, "-m", "genbench", "run", "mine", "-c", "suites.yaml", "-o", "runs", "-q")
    records = [json.loads(p.read_text()) for p in (folder / "runs").rglob("*.json")]
    assert {record["cell"] for record in records} == set(cells)
    for record in records:
        for m in record["metrics"]:
            if m["split"] == "test" and not m["id"].startswith(TIMED):
                assert m["value"] == cells[record["cell"]][m["id"]], m["id"]
    vaes = sorted(
        (r for r in records if r["spec"]["model"] == "vae"), key=lambda r: r["spec"]["seed"]
    )
    losses = [
        m["value"] for r in vaes for m in r["metrics"] if m["id"] == "nll" and m["split"] == "test"
    ]
    # the bound of a VAE is estimated with draws of its own
    assert [-value for value in density] == pytest.approx(losses, abs=0.2)
    assert "vae" in do(folder, "-m", "genbench", "leaderboard", "-o", "runs")
