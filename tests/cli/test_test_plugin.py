"""`genbench test-plugin`: what it prints, and how it exits."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from documents import worked_examples

from genbench.cli import main

pytestmark = pytest.mark.usefixtures("registered")
METRIC = worked_examples()["spread_example"][0]
MOST = 79


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs the verb in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*args):
        with pytest.raises(SystemExit) as end:
            main(["test-plugin", *args])
        out, err = capsys.readouterr()
        return SimpleNamespace(returncode=end.value.code or 0, stdout=out, stderr=err)

    return call


def test_a_plugin_that_keeps_its_contract_is_told_so(run, tmp_path):
    (tmp_path / "mine.py").write_text(METRIC)
    done = run("mine.py")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "metric spread_example"
    assert lines[-1] == "metric spread_example: 12 of 12 rules kept."
    assert max(map(len, lines)) <= MOST


def test_a_claim_about_an_own_model_says_why_and_is_told_how(run, tmp_path):
    examples = worked_examples()
    (tmp_path / "lsgan_example.py").write_text(examples["lsgan_example"][0])
    claim = examples["coverage_example"][0].replace('"wgan_gp"', '"lsgan_example"')
    (tmp_path / "mine.py").write_text(claim)
    named = ("mine.py", "--plugin", "lsgan_example.py")
    refused = run(*named)
    said = " ".join(refused.stdout.split())
    assert (refused.returncode, 'outsiders={"lsgan_example": "REASON"}' in said) == (1, True)
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text()
    line = next(line for line in text.splitlines() if "`outsiders={" in line).split("`")[1]
    (tmp_path / "mine.py").write_text(claim.replace("    runs=", f"    {line}\n    runs="))
    assert run(*named).returncode == 0


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        ("raise SystemExit('over')", "SystemExit: over (mine.py:"),
        ("raise ValueError('no\\n  such thing')", "ValueError: no (mine.py:"),
        ("return real / 0 * float('nan')", "ValueError: only one element"),
        ("return {}", "needs to return the columns ['spread_example'], got []"),
    ],
)
def test_whatever_a_plugin_does_is_a_broken_rule_in_a_sentence(raised, says, run, tmp_path):
    code = METRIC.replace("    for role", f"    print('hello')\n    {raised}\n    for role")
    (tmp_path / "mine.py").write_text(code)
    done = run("mine.py", "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)  # what the plugin prints goes elsewhere
    assert report["ok"] is False
    broken = {row["rule"]: row["reason"] for row in report["rules"] if row["status"] == "broken"}
    assert says in broken["columns declared are those returned"]
    assert {row["status"] for row in report["rules"]} <= {"kept", "broken", "not applicable"}
    assert all(row["sentence"].endswith(".") for row in report["rules"])


def test_a_broken_rule_is_printed_with_what_to_do(run, tmp_path):
    (tmp_path / "mine.py").write_text(METRIC.replace('Column("lower"', 'Column("higher"'))
    done = run("mine.py")
    assert done.returncode == 1
    assert "  BROKEN worse samples score worse" in done.stdout
    assert "11 of 12 rules kept, 1 broken" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= MOST


def test_what_cannot_be_built_is_not_checked_further(run, tmp_path):
    code = (
        "from genbench import Model, model\n\n@model('hollow')\nclass Hollow(Model):\n"
        "    taxonomy = 'implicit/direct'\n"
    )
    (tmp_path / "mine.py").write_text(code)
    done = run("mine.py")
    assert done.returncode == 1
    assert "abstract" in done.stdout
    assert "not checked because of that" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise SystemExit(0)", "could not be imported: SystemExit"),
        ("import nowhere_at_all", "could not be imported: ModuleNotFoundError"),
        ("x = 1", "needs to register a plugin, got none"),
        (METRIC.replace('@metric("spread_example"', '@metric("fid"'), "is built in"),
    ],
)
def test_what_cannot_be_loaded_is_a_usage_error(code, says, run, tmp_path):
    (tmp_path / "mine.py").write_text(code)
    done = run("mine.py")
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_unknown_names_and_absent_files_are_usage_errors(run):
    for where, says in (("realnpv", "did you mean 'realnvp'"), ("gone.py", "is not a file")):
        done = run(where)
        assert done.returncode == 2
        assert says in done.stderr


@pytest.mark.parametrize("where", ["missing-pixels", "genbench.claims.missing_pixels"])
def test_built_in_plugins_are_found_by_name_and_by_module(where, run):
    done = run(where)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("claim missing_pixels\n")


def test_every_plugin_of_a_file_is_checked(run, tmp_path):
    both = "\n".join(worked_examples()[name][0] for name in ("fourier_example", "spread_example"))
    (tmp_path / "mine.py").write_text(both)
    done = run("mine.py")
    assert done.returncode == 0, done.stdout
    assert "metric spread_example\n" in done.stdout
    assert "extractor fourier_example\n" in done.stdout
