"""genbench claims and genbench run claims, from outside."""

import html
import json
import os
from pathlib import Path

import pytest

from genbench.cli.execution import STOPPED, make_listener
from genbench.cli.run_text import tell_exploratory
from genbench.core.claim import CLAIMS

PLUGIN = """
from genbench.core.claim import Run, claim
from genbench.core.effect import Effect

RUN = Run("gan", "ring", ("modes",), {"hidden": [8]}, 6, 8, 8, samples=100)

def experiment(rng, *, shift: float = 5.0):
    return {"x": (shift + rng.normal(1)[:, 0]).tolist()}

@claim("planted_claim", statement="It is [so].", source="someone", why="because", runs=(RUN,),
       experiment=experiment, literature=("others agree",), threats=("none",))
def effects(evidence):
    return [Effect("x", evidence.measured("x"), 1.0),
            Effect("modes", evidence.scores(RUN, "modes"), 100.0, "below", resolution=1.0)]
"""
NAMED = ("--plugin", "planted.py")


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch, registered):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "planted.py").write_text(PLUGIN)
    return genbench


def test_a_claim_is_missing_then_run_then_judged(genbench):
    code, out, _ = genbench("claims", "planted-claim", *NAMED, "--no-run", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert (row["verdict"], row["because"]) == ("inconclusive", "nothing has been measured yet")
    assert row["missing"]["its experiment"] == list(range(8))
    assert row["command"] == "genbench run claims --claim planted-claim --plugin planted.py"
    run = ("run", "claims", "--claim", "planted-claim", *NAMED, "--device", "cpu")
    code, out, err = genbench(*run, "--dry-run")
    assert (code, err) == (0, "")
    assert "experiment of planted-claim: 8 seeds" in out
    assert "18 to train" in out, "six cells, and as many of two null rows"
    code, out, err = genbench(*run, "--json")
    assert code == 0, err
    rows = json.loads(out)
    assert [row["status"] for row in rows] == ["ok"] * 19
    assert rows[0]["claim"] == "planted-claim"
    code, out, _ = genbench("claims", "planted_claim", *NAMED, "--json")
    (row,) = json.loads(out)
    assert row["verdict"] == "supported"
    assert (row["missing"], row["command"]) == ({}, None)
    assert [part["seeds"] for part in row["parts"]] == [8, 6]
    assert row["parts"][0]["low"] > 1
    assert row["provisional"] is False
    assert set(row["without_seed"]) == {str(seed) for seed in range(8)}
    code, out, _ = genbench(*run, "--budget-scale", "default")
    assert "0 to train; nothing to do" in out
    assert "verdicts: genbench claims planted-claim --plugin planted.py -o runs" in out
    assert "experiment" not in out
    code, out, _ = genbench(*run, "--until-decided", "--dry-run")
    assert out.rstrip("\n").endswith("0 to train; nothing to do")
    assert "\n\n" not in out
    code, out, _ = genbench("claims", "planted-claim", *NAMED)
    assert "It is [so]." in out
    assert "others agree" in out
    assert "without" in out


def test_a_claim_that_is_asked_for_is_run_then_explained(genbench, tmp_path):
    asked = ("claims", "planted-claim", *NAMED, "--budget-scale", "half", "-o", "new")
    code, out, err = genbench(*asked, "--json")
    (row,) = json.loads(out)
    assert (code, row["verdict"], row["missing"]) == (0, "supported", {})
    assert "18 to train" in err
    records = sorted((tmp_path / "new").rglob("*.json"))
    code, out, _ = genbench(*asked)
    assert code == 0
    assert "to train" not in out
    assert "It is [so]." in out
    assert sorted((tmp_path / "new").rglob("*.json")) == records
    (tmp_path / "README.md").write_text("<!-- claims:begin -->\n<!-- claims:end -->\n")
    assert genbench("claims", "planted-claim", *NAMED, "--readme", "README.md")[0] == 0
    assert genbench("claims", *NAMED)[0] == 0
    assert not (tmp_path / "runs" / "claims").exists()


def test_a_claim_that_cannot_be_run_is_explained_all_the_same(genbench, tmp_path):
    broken = PLUGIN.replace("return {", "1 / 0\n    return {", 1)
    (tmp_path / "planted.py").write_text(broken.replace("planted_claim", "broken_claim"))
    code, out, err = genbench("claims", "broken-claim", *NAMED)
    assert code == 3
    assert "experiment of broken-claim failed: ZeroDivisionError" in err
    assert "Failed: its experiment: 8 seeds" in out


def test_what_would_be_exploratory_is_told_before_it_is_run(genbench, tmp_path, capsys):
    run = ("run", "claims", "--claim", "planted-claim", *NAMED, "--dry-run")
    card = ("claims", "planted-claim", *NAMED, "--no-run", "--wide")
    never = "never; its verdict will be exploratory; register it before it is run: "
    command = "genbench claims planted-claim --register"
    assert f"Registered: {never}{command}" in genbench(*card)[1]
    assert f"planted-claim: registered: {never}{command}" in genbench(*run)[1]
    assert genbench("claims", "planted-claim", *NAMED, "--register")[0] == 0
    assert "as written" in genbench(*card)[1]
    assert "registered:" not in genbench(*run)[1]
    (tmp_path / "planted.py").write_text(PLUGIN.replace("6, 8, 8", "6, 9, 8"))
    code, out, _ = genbench(*card)
    said = "and changed since: runs.gan(hidden=[8]) on ring.steps: 8, now 9; its verdict will be exploratory"
    assert (code, said in out) == (0, True)
    assert f"register it anew before it is run: {command}" in out
    (line,) = [line for line in genbench(*run)[1].splitlines() if "registered:" in line]
    assert said in line
    listener = make_listener(tmp_path / "runs")
    tell_exploratory("claims", (), listener)  # of all, those of plugins alone
    tell_exploratory("demo", ("planted-claim",), listener)
    (line,) = capsys.readouterr().out.splitlines()
    assert said in line


WHERE = """
import os
from genbench.core.claim import claim

def experiment(rng):
    return {"pid": [float(os.getpid())] * len(rng)}

for name, timed in {"clocked": True, "first": False, "second": False}.items():
    claim(f"{name}_claim", statement="s", source="s", why="w", experiment=experiment, timed=timed,
          seeds=2)(lambda evidence: [])
"""


def test_an_experiment_that_measures_times_is_made_alone(genbench, tmp_path):
    (tmp_path / "where.py").write_text(WHERE)
    names = [f"{name}-claim" for name in ("first", "clocked", "second")]
    asked = [word for name in names for word in ("--claim", name)]
    code, out, _ = genbench(
        "run", "claims", *asked, "--plugin", "where.py", "--executor", "processes", "--json"
    )
    rows = json.loads(out)
    assert code == 0
    assert rows[0]["claim"] == "clocked-claim"
    pids = {
        row["claim"]: json.loads((tmp_path / row["record"]).read_text())["columns"]["pid"]["0"]
        for row in rows
    }
    assert set(pids) == set(names)
    assert pids.pop("clocked-claim") == os.getpid()
    assert os.getpid() not in pids.values()


def test_an_experiment_that_is_interrupted_says_how_to_go_on(genbench, tmp_path):
    interrupted = PLUGIN.replace('return {"x"', 'raise KeyboardInterrupt; return {"x"')
    (tmp_path / "late.py").write_text(interrupted.replace("planted_claim", "late_claim"))
    for asked in (("run", "claims", "--claim", "late-claim"), ("claims", "late-claim")):
        code, out, err = genbench(*asked, "--plugin", "late.py")
        assert (code, err.strip()) == (130, STOPPED)
        assert "others agree" not in out
        assert "verdicts:" not in out


def test_all_claims_stand_in_one_table(genbench, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = genbench("claims", "--seeds", 9, "--budget-scale", "quick")
    assert code == 0
    assert "nash-oscillation" in out
    assert "genbench run claims --claim ID --budget-scale quick --seeds 9 -o runs" in " ".join(
        out.split()
    )


def test_an_experiment_that_fails_ends_with_three(genbench, tmp_path):
    broken = PLUGIN.replace("return {", "1 / 0\n    return {", 1).replace("runs=(RUN,),", "")
    (tmp_path / "planted.py").write_text(broken.replace("planted_claim", "failing_claim"))
    code, _, err = genbench("run", "claims", "--claim", "failing-claim", *NAMED)
    assert code == 3
    assert "experiment of failing-claim failed: ZeroDivisionError" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("claims", "nash-oscilation"), "'nash-oscilation'; did you mean 'nash-oscillation'?"),
        (("run", "claims", "--claim", "nash"), "unknown claim 'nash'"),
        (("run", "claims", "--steps", "3"), "takes no --steps"),
        (("run", "claims", "--metrics", "fid"), "claims say it themselves; leave it out"),
        (
            ("run", "demo", "--claim", "nash-oscillation"),
            "--claim needs the suite claims, got 'demo'",
        ),
        (("run", "demo", "--budget-scale", "quick"), "--budget-scale needs the suite claims"),
        (("run", "claims", "--config", "x.yaml"), "run claims takes no --config"),
        (("run", "claims", "--until-decided", "--seeds", "8"), "takes no --seeds"),
        (("run", "claims", "--until-decided", "-m", "gan"), "takes no --model or --dataset"),
        (("run", "claims", "--max-seeds", "8"), "--max-seeds needs --until-decided"),
        (("run", "demo", "--until-decided"), "--until-decided needs the suite claims"),
        (("claims", "turns", "--register", "--no-run"), "claims --register takes no --no-run"),
        (("claims", "--format", "csv", "--json"), "one of --format and --json"),
        (("leaderboard", "--json", "--format", "csv"), "one of --format and --json"),
        (("leaderboard", "--title", "mine"), "--title needs --to"),
        (
            ("leaderboard", "--to", "page", "--format", "csv"),
            "--picture takes no --format; leave it out, since",
        ),
        (
            ("leaderboard", "--readme", "a.md", "--picture", "a.svg", "--wide"),
            "or --picture takes no --wide",
        ),
        (("claims", "--readme", "a.md", "--format", "csv"), "claims --readme takes no --format"),
        (
            ("list", "sources", "--readme", "a.md", "--wide"),
            "list sources --readme takes no --wide",
        ),
        (("check", "--format", "junit", "--json"), "one of --format and --json"),
    ],
)
def test_what_cannot_be_meant_is_refused(genbench, args, said):
    code, out, err = genbench(*args)
    assert code == 2
    assert said in err
    assert out == ""


def test_verdicts_are_held_against_another_folder(genbench, tmp_path):
    run = ("run", "claims", "--claim", "planted-claim", *NAMED, "--device", "cpu")
    assert genbench(*run)[0] == 0
    against = ("claims", "planted-claim", *NAMED, "--against", "runs")
    code, out, _ = genbench(*against)
    assert code == 0
    assert "14 of 14" in out
    assert "1 of 1 claim is not contradicted" in out
    assert genbench(*run, "-o", "again")[0] == 0
    code, out, _ = genbench(*against, "-o", "again", "--json")
    (row,) = json.loads(out)
    assert (code, row["said"], row["values_same"], row["values"]) == (0, "same", 14, 14)
    (tmp_path / "empty").mkdir()
    other = ("-m", "gan", "-d", "ring", "--seeds", "1", "--steps", "1", "--metrics", "mmd")
    assert genbench("run", *other, "-o", "fewer")[0] == 0
    code, out, _ = genbench(*against, "-o", "fewer")
    assert (code, "not measured" in out, "0 of 1 claim is" in out) == (1, True, True)
    code, out, err = genbench(*against, "-o", "again", "--against", "empty")
    assert (code, "1 claim was not compared: not measured in empty" in out) == (4, True)
    assert "not contradicted" not in out
    assert "none of these claims is measured in empty, so that nothing could be compared" in err
    assert genbench(*against, "--against", "empty", "--json")[0] == 4


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
@pytest.mark.parametrize(
    "words",
    [(), ("planted-claim", "--no-run"), ("--against", "empty"), ("--json",), ("--readme", "x.md")],
    ids=" ".join,
)
def test_a_folder_that_is_named_must_have_something_to_say(genbench, tmp_path, folder, words):
    (tmp_path / "empty").mkdir()
    code, out, err = genbench("claims", *words, *NAMED, "-o", folder)
    assert (code, out) == (2, "")
    assert f"make records with: genbench run --plugin planted.py claims -o {folder}" in err


def test_without_a_folder_named_there_is_nothing_to_refuse(genbench):
    code, out, _ = genbench("claims", *NAMED, "--format", "csv")
    assert (code, "planted-claim,not measured" in out) == (0, True)


def test_a_part_that_turns_ends_with_one(genbench, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    run = ("run", "claims", "--claim", "planted-claim", *NAMED, "--device", "cpu")
    assert genbench(*run)[0] == 0
    (tmp_path / "planted.py").write_text(PLUGIN.replace("(shift +", "(-shift +"))
    assert genbench(*run, "-o", "again")[0] == 0
    against = ("claims", "planted-claim", *NAMED, "-o", "again", "--against", "runs")
    code, out, _ = genbench(*against)
    assert code == 1
    assert "planted-claim: x: refuted here, supported there" in out
    code, out, _ = genbench(*against, "--json")
    (row,) = json.loads(out)
    assert row["turned"] == [{"effect": "x", "outcome": "refuted", "against": "supported"}]
    assert (row["verdict"], row["against"], row["said"]) == ("mixed", "supported", "opposite")


def test_a_damaged_trial_is_named_then_set_aside_and_made_anew(genbench, tmp_path):
    trial = ("run", "claims", "--claim", "planted-claim", *NAMED, "--device", "cpu")
    assert genbench(*trial)[0] == 0
    (path,) = (tmp_path / "runs" / "claims").iterdir()
    path.write_text(path.read_text().replace('"0":', '"9":'))
    code, _, err = genbench("claims", "planted-claim", *NAMED, "--no-run")
    assert (code, f"not read: runs/claims/{path.name}" in err) == (3, True)
    code, out, _ = genbench(*trial, "--dry-run")
    assert f"the file set aside: runs/claims/{path.name}" in " ".join(out.split())
    assert genbench(*trial)[0] == 0
    assert genbench("claims", "planted-claim", *NAMED, "--no-run")[0] == 0
    assert genbench("validate")[0] == 0


WIDE = """
from genbench.core.claim import claim
from genbench.core.effect import Effect

def experiment(rng, *, steps: int = 1):
    return {"x": [2.0 + seed / 100 for seed in rng.seeds]}

for name in ("wide_one", "wide_two"):
    @claim(name, statement="x", source="x", why="x", experiment=experiment, seeds=8)
    def effects(evidence):
        return [Effect("x", evidence.measured("x"), 1.0)]
"""


def test_claims_that_are_asked_for_together_are_run_as_each_would_be_alone(genbench, tmp_path):
    """A claim with seeds that looks added does not make the others train as many."""
    (tmp_path / "wide.py").write_text(WIDE)
    plugin = ("--plugin", "wide.py")
    more = ("--claim", "wide-one", "--seeds", "16", *plugin, "-o", "new")
    assert genbench("run", "claims", *more)[0] == 0
    asked = ("claims", "wide-one", "wide-two", *plugin, "-o", "new", "--json")
    code, out, _ = genbench(*asked)
    assert code == 0
    seeds = {row["id"]: row["parts"][0]["seeds"] for row in json.loads(out)}
    assert seeds == {"wide-one": 16, "wide-two": 8}


def test_documents_show_claims_at_their_own_budget(genbench, tmp_path):
    (tmp_path / "README.md").write_text("<!-- budgets:begin -->\n<!-- budgets:end -->\n")
    for more in (("--seeds", "3"), ("--budget-scale", "half")):
        code, _, err = genbench("claims", *more, "--readme", "README.md")
        assert code == 2
        assert "leave out --seeds and --budget-scale" in " ".join(err.split())


BROKEN = """
from genbench.core.claim import claim
from genbench.core.effect import Effect

def experiment(rng, *, steps: int = 1):
    raise ValueError("boom on a seed")

@claim("breaks", statement="x", source="x", why="x", experiment=experiment, seeds=8)
def effects(evidence):
    return [Effect("x", evidence.measured("x"), 1.0)]
"""


def test_a_card_says_why_no_seed_completed(genbench, tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    asked = ("claims", "breaks", "--plugin", "broken.py", "-o", "new")
    code, out, _ = genbench(*asked)
    assert code == 3
    assert "all seeds were tried, and none has a value" in " ".join(out.split())
    assert "8 seeds: ValueError: boom on a seed" in " ".join(out.split())
    (row,) = json.loads(genbench(*asked, "--json")[1])
    assert row["failure_reasons"] == {"its experiment": "ValueError: boom on a seed"}


def test_what_is_measured_of_claims_that_are_not_installed_is_named(genbench, registered):
    """Of one by its experiment, of one that has cells alone by its registration."""
    bare = PLUGIN.replace("planted_claim", "bare_claim").replace("experiment=experiment, ", "")
    bare = bare.replace('Effect("x", evidence.measured("x"), 1.0),', "")
    Path("bare.py").write_text(bare)
    both = (*NAMED, "--plugin", "bare.py")
    assert genbench("claims", "bare-claim", *both, "--register")[0] == 0
    assert genbench("run", "claims", "--claim", "planted-claim", *both, "--device", "cpu")[0] == 0
    lines = [
        f"claim '{name}' is not installed; name its file by --plugin"
        for name in ("bare-claim", "planted-claim")
    ]
    assert genbench("report", *both)[2] == ""
    assert "Not read" not in Path("report/index.html").read_text()
    for name in ("bare_claim", "planted_claim"):
        del CLAIMS._objects[name]
    code, _, err = genbench("report")
    assert (code, err.splitlines()) == (0, lines)
    page = html.unescape(Path("report/index.html").read_text())
    code, out, _ = genbench("validate", "runs")
    assert code == 0
    _, _, err = genbench("claims", "--json")
    for line in lines:
        assert line in page
        assert line in " ".join(out.split())
        assert line in err
