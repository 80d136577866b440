"""The documents' examples run as they stand."""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import yaml
from documents import ROOT, blocks, worked_examples
from PIL import Image

from genbench.cli import VERBS
from genbench.core.claim import find
from genbench.core.entrants import read_entrants
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.spec import Part
from genbench.report.tuning_readme import update_readme
from genbench.running.cells import groups_of
from genbench.running.claim_cells import specs_of
from genbench.store import Store
from genbench.store.documents import load_suites

EXAMPLES = worked_examples()


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch, registered):
    """Runs the command line in a folder of the test's own, beside its plugins; returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*args):
        code, out, err = genbench(*args)
        assert code == 0, out + err
        return out

    return run


def commands_of(name, tmp_path):
    """Saves a worked example, and returns the words of its commands after `genbench`."""
    code, commands = EXAMPLES[name]
    (tmp_path / f"{name}.py").write_text(code)
    return [shlex.split(line)[1:] for line in commands]


def quickly(run):
    """A run of two seeds and twenty rounds in place of the one that is shown."""
    return [*run[: run.index("--seeds")], "--seeds", "2", "--steps", "20", "--json"]


@pytest.fixture(scope="module")
def read_from():
    """The rows of the document of claims that say what is read: claims and text of each."""
    table = (ROOT / "docs/claims.md").read_text().split("| claim | read from |")[1]
    cells = [row.split("|")[1:3] for row in table.split("\n\n")[0].splitlines()[2:]]
    return [(re.findall(r"`([a-z-]+)`", names), text) for names, text in cells]


@pytest.fixture(scope="module")
def built_in():
    """The claims of this repository by their ids."""
    found = find(()).values()
    return {c.id: c for c in found if c.function.__module__.startswith("genbench.")}


def test_the_document_of_claims_says_what_each_is_read_from(read_from, built_in):
    assert sorted(name for names, _ in read_from for name in names) == sorted(built_in)


def test_the_document_of_claims_names_the_suites_that_have_their_cells(read_from, built_in):
    """Those that it names and no others: what a claim came to read later was missing."""
    suites = {n: {*groups_of(s)} for n, s in load_suites(ROOT / "benchmarks.yaml").items()}
    for names, text in read_from:
        named = suites.keys() & {*re.findall(r"`(\w+)`", text)}
        of_row = {specs_of(run)[0].group for name in names for run in built_in[name].runs}
        in_named = set[str]().union(*(suites[suite] for suite in named))
        anywhere = of_row & set().union(*suites.values())
        assert anywhere <= in_named, f"the row of {names} names no suite that has all its cells"
        strange = [suite for suite in named if not suites[suite] & of_row]
        assert not strange, f"the row of {names} names {strange}, which have none of its cells"


def test_the_document_of_claims_says_which_pictures_are_read(read_from, built_in):
    for names, text in read_from:
        runs = [run for name in names for run in built_in[name].runs]
        clothes = any(
            "fashion_mnist" in {run.dataset, run.dataset_options.get("of")} for run in runs
        )
        assert not clothes or re.search("Fashion-MNIST|clothes", text), names


def test_every_kind_of_plugin_has_a_worked_example_of_sixty_lines():
    assert len(EXAMPLES) == 8
    assert max(code.count("\n") for code, _ in EXAMPLES.values()) <= 60


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_worked_examples_of_contributing_keep_their_contract(name, tmp_path, genbench):
    check = commands_of(name, tmp_path)[0]
    assert check == ["test-plugin", f"{name}.py"]
    assert "rules kept" in genbench(*check)


def test_the_worked_model_of_contributing_trains(tmp_path, genbench):
    _, run, report = commands_of("lsgan_example", tmp_path)
    cells = json.loads(genbench(*quickly(run)))
    assert {(cell["model"], cell["status"]) for cell in cells} == {
        ("lsgan_example", "ok"),
        ("gan", "ok"),
    }
    genbench(*report)
    leaderboard = (tmp_path / "report" / "leaderboard.csv").read_text()
    assert "lsgan_example" in leaderboard


def test_the_worked_executor_of_contributing_runs(tmp_path, genbench):
    _, run = commands_of("threads_example", tmp_path)
    assert [cell["status"] for cell in json.loads(genbench(*quickly(run)))] == ["ok"] * 4


@pytest.mark.parametrize("name", ["linear_example", "blurred_example"])
def test_the_worked_translator_and_its_data_of_contributing_train(name, tmp_path, genbench):
    _, run = commands_of(name, tmp_path)
    cells = json.loads(genbench(*quickly(run)))
    assert {cell["status"] for cell in cells} == {"ok"}
    assert len({cell["model"] for cell in cells}) == 2  # beside a control
    printed = genbench("leaderboard", "-o", "runs", "--plugin", f"{name}.py")
    assert {"psnr", "ssim", "fid"} <= set(printed.split())


def test_the_worked_data_set_of_contributing_is_learned(tmp_path, genbench):
    _, run = commands_of("wine_example", tmp_path)
    cells = json.loads(genbench(*quickly(run)))
    assert {(cell["dataset"], cell["status"]) for cell in cells} == {("wine_example", "ok")}


@pytest.mark.parametrize("name", ["spread_example", "fourier_example"])
def test_the_worked_metric_and_extractor_of_contributing_score(name, tmp_path, genbench):
    _, evaluate = commands_of(name, tmp_path)
    out = genbench(*evaluate, "--json")
    assert name in out
    scores = json.loads(out)["metrics"].values()
    assert all(score["value"] is not None for score in scores)


def test_the_worked_claim_of_contributing_is_judged(tmp_path, genbench):
    _, run, claims = commands_of("coverage_example", tmp_path)
    assert "32 to train" in genbench(*run)  # with the null rows of what it judges
    (row,) = json.loads(genbench(*claims, "--no-run", "--json"))
    assert (row["id"], row["verdict"]) == ("coverage-example", "inconclusive")


DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "results/README.md"),
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_in_the_documents_exists(document, genbench):
    for block in blocks(document, "sh"):
        for line in block.strip().splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"]:
                assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(), line
            elif words[:1] == ["genbench"]:
                assert words[1] in VERBS, line
                help_text = genbench(words[1], "--help")
                flags = [word for word in words if word.startswith("-")]
                assert all(
                    re.search(rf"(?<![\w-]){re.escape(f)}(?![\w-])", help_text) for f in flags
                ), line


def test_the_readme_is_short_and_links_lead_somewhere():
    assert len((ROOT / "README.md").read_bytes()) <= 9216
    for document in DOCUMENTS:
        folder = (ROOT / document).parent
        for link in re.findall(r"\]\(([^)#\s]+)\)", (ROOT / document).read_text()):
            assert "://" in link or (folder / link).exists(), f"{document} links to {link}"


def test_the_index_names_every_document():
    index = (ROOT / "docs/README.md").read_text()
    linked = {*re.findall(r"\]\(([\w./]+\.md)\)", index)}
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    above = {f"../{path.name}" for path in ROOT.glob("*.md") if path.name != "README.md"}
    assert pages | above <= linked


@pytest.mark.parametrize(
    ("document", "words", "suite"),
    [
        ("README.md", r"expects (\d+) minutes on two cores", "demo"),
        ("docs/ci.md", r"which take (\d+) minutes on two cores", "ci"),
        ("docs/ci.md", r"suite `pairs_ci`, in (\d+) minutes", "pairs_ci"),
    ],
)
def test_minutes_that_documents_name_are_near_those_of_the_table(document, words, suite):
    """The table is written by `docs/make_times.py`, from seconds that differ from one machine to the next."""
    running = (ROOT / "docs/running.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \|", running, re.MULTILINE)
    table = {name: (cells, int(minutes)) for name, cells, minutes in rows}
    text = (ROOT / document).read_text()
    (minutes,) = re.findall(words, text)
    assert abs(int(minutes) - table[suite][1]) <= 1
    if suite == "demo":
        assert f"({table[suite][0]} cells;" in text


def test_the_document_of_fairness_says_who_is_tuned():
    """By the list of entrants and the file of tuned options."""
    text = (ROOT / "docs/fairness.md").read_text()
    (line,) = re.findall(r"^- (On [^.]* are as tuned .*?)\n- ", text, re.MULTILINE | re.DOTALL)
    tuned, rest = " ".join(line.split()).split("(`baselines/tuned.yaml`)")
    entries = yaml.safe_load((ROOT / "baselines/tuned.yaml").read_text())["entries"]
    words = {"super_resolution": "super-resolution", "fashion_mnist": "Fashion-MNIST"}
    for dataset in {entry["dataset"] for entry in entries}:
        assert words.get(dataset, dataset.replace("_", " ")) in tuned
    kinds = {"plane": "planes", "image": "pictures", "bits": "bits", "tokens": "texts"}
    untuned = [kinds[name] for name, kind in read_entrants().kinds.items() if not kind.tuned]
    assert f"Entrants of {' and '.join(untuned)} are marked" in rest


def test_the_document_of_fairness_counts_what_tuning_gained(tmp_path):
    copy = tmp_path / "copy.md"
    between = "<!-- gains:begin -->", "<!-- gains:end -->"
    text = (ROOT / "docs/fairness.md").read_text()
    rows = text.partition(between[0])[2].partition(between[1])[0]
    copy.write_text(f"{between[0]}{rows}{between[1]}\n")
    assert not update_readme(copy, [], Store(ROOT / "results")), (
        "not current; run: genbench tune --curves -o results --readme docs/fairness.md"
    )


def test_the_page_on_scoring_samples_draws_as_many_as_the_leaderboard_of_digits():
    """Other counts stand in columns of their own."""
    text = (ROOT / "docs/evaluate.md").read_text()
    board = (ROOT / "results/README.md").read_text().partition("\n### digits\n")[2]
    counts = re.search(r"^1\. fid: .*n=(\d+)/(\d+)", board, re.MULTILINE)
    assert f"(`n={counts[1]}/{counts[2]}`)" in text
    assert f"--limit {counts[2]} " in text


def test_the_page_on_scoring_samples_names_every_extractor():
    text = (ROOT / "docs/evaluate.md").read_text()
    named = {name.replace("-", "_") for name in re.findall(r"`([\w-]+)`", text)}
    assert {*EXTRACTORS.names()} <= named


def test_paths_named_in_the_documents_exist():
    for document in DOCUMENTS:
        for path in re.findall(
            r"`((?:genbench|tests)/[\w/.]+\.py)`", (ROOT / document).read_text()
        ):
            assert (ROOT / path).exists() or "example" in path, f"{document} names {path}"


def test_the_example_of_scoring_samples_runs_and_says_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(ROOT / "docs/examples/score_samples.py"), run_name="__main__")
    out = capsys.readouterr().out
    numbers = re.search(r"fid of floats (\S+), of the same as bytes (\S+)", out)
    declared = re.search(r"fid with the range declared (\S+)", out)
    assert float(numbers[2]) == pytest.approx(float(numbers[1]), rel=0.01)
    assert float(declared[1]) == pytest.approx(float(numbers[1]), rel=0.01)
    assert "--range -1,1" in out
    board = out[out.index("### digits") :]
    better, worse = board.index("my-model (external)"), board.index("my-older-model (external)")
    assert better < worse
    assert "against digits:test, genbench" in out
    assert out.rstrip().endswith("records: 10")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["compare_models", "add_model"])
def test_the_other_examples_run_and_say_what_they_found(name, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / f"docs/examples/{name}.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    if name == "compare_models":
        assert re.search(r"recall, vae less gan: -?[\d.]+ \[.+\], 6 seeds", done.stdout)
        assert (tmp_path / "report/index.html").exists()
    else:
        assert re.search(r"\d\d rules kept, 0 broken", done.stdout)
        assert "| sliced\\_generator |" in done.stdout


def test_the_page_of_commands_is_current():
    path = ROOT / "docs/make_cli.py"
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_file_location("make_cli", path)
    )
    module.__spec__.loader.exec_module(module)
    assert (ROOT / "docs/cli.md").read_text() == module.make_page(), "run: make documents"


@pytest.mark.slow
def test_the_documents_become_pages_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason="pip install '.[docs]'")
    build = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "-b", "html"]
    done = subprocess.run(
        [*build, "-c", "docs", ".", tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "docs/README.html" in (tmp_path / "index.html").read_text()
    page = (tmp_path / "docs/running.html").read_text()
    for name in ("evaluate", "cli", "data"):
        assert f'href="{name}.html"' in page


def evaluations():
    """The commands of the page on scoring samples, as words."""
    first, *_ = blocks("docs/evaluate.md", "sh")
    return [shlex.split(line) for line in first.strip().splitlines()]


#: those that need weights that this machine has not
WITH_WEIGHTS = ("dinov2", "clip", "inception-v3-compat")


def test_the_page_on_scoring_samples_does_what_it_says(tmp_path, monkeypatch, capsys):
    """Every command of the section runs; where weights are absent it says how to get them."""
    import numpy
    from PIL import Image

    from genbench.cli import main
    from genbench.core.dataset import DATASETS

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    digits = DATASETS.get("digits")().points("validation").numpy()[:80]
    numpy.savez("mine.npz", samples=digits)
    pictures = (255 * numpy.random.default_rng(0).random((24, 16, 16, 3))).astype("uint8")
    for folder in ("generated", "real", "outputs", "truth", "inputs"):
        Path(folder).mkdir()
        for k, picture in enumerate(pictures):
            means = picture.reshape(4, 4, 4, 4, 3).mean((1, 3)).round().astype("uint8")
            shown = means if folder == "inputs" else picture
            Image.fromarray(shown).save(f"{folder}/{k}.png")
    numpy.save("floats.npy", pictures / 127.5 - 1)
    numpy.save("outputs.npy", DATASETS.get("digits")().points("test").numpy())
    numpy.savez("adm.npz", arr_0=pictures)
    for seed in range(3):
        numpy.save(f"seed{seed}.npy", digits[seed:78:3])
    Path("mine.py").write_text(
        "import numpy\ndef batches():\n    yield numpy.load('mine.npz')['samples']\n"
    )
    monkeypatch.setattr(
        "genbench.evaluation.single.default_features",
        lambda dataset: Part(name="identity"),  # no classifier is trained in a test
    )
    commands = evaluations()
    assert len(commands) >= 8
    for _, *words in commands:
        absent = next((name for name in WITH_WEIGHTS if name in words), None)
        words = ["cpu" if word == "cuda" else word for word in words]
        with pytest.raises(SystemExit) as end:
            main(words)
        out, err = capsys.readouterr()
        if absent is not None:
            assert end.value.code == 2, words
            assert f"genbench fetch {absent}" in err or "genbench[features]" in err
        else:
            assert end.value.code == 0, (words, err)
            assert out


def test_the_document_of_metrics_lists_every_column():
    """And names every metric in the table of what is measured."""
    text = (ROOT / "docs/metrics.md").read_text()
    measured, _, listed = text.partition("## Every column")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", listed, re.MULTILINE))
    columns = {name: re.findall(r"`(\w+)`", cells) for name, cells in rows.items()}
    assert columns == {name: [*entry.columns] for name, entry in METRICS.all().items()}
    heads = " ".join(
        line.split("|")[1] for line in measured.splitlines() if line.startswith("| `")
    )
    assert {*METRICS.names()} <= {*re.findall(r"`(\w+)`", heads)}


def test_the_translator_of_the_document_of_python_trains_and_is_scored(
    tmp_path, monkeypatch, capsys
):
    """With two rounds in place of 2,000, on folders of pictures of random pixels."""
    monkeypatch.chdir(tmp_path)
    draws = numpy.random.default_rng(0)
    for folder, side in (("outputs", 16), ("truth", 16), ("inputs", 8)):
        (tmp_path / folder).mkdir()
        for k in range(12):
            pixels = draws.integers(0, 256, (side, side), dtype=numpy.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / f"{k:02}.png")
    blocks_of_python = [b for b in blocks(ROOT / "docs/python.md", "python") if "source=" in b]
    (code,) = blocks_of_python
    assert "steps=2000" in code
    exec(compile(code.replace("steps=2000", "steps=2"), "python.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.count("consistency") >= 3


def test_the_suites_for_a_gpu_are_a_command_of_the_documents():
    text = (ROOT / "docs/running.md").read_text()
    suites = [name for name in load_suites(ROOT / "benchmarks.yaml") if name.endswith("_gpu")]
    assert len(suites) >= 8
    for name in suites:
        assert f"genbench run {name} --device cuda" in text
