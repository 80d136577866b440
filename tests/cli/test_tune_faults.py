"""genbench tune on plans, files and folders that are not as they should be: what to type instead."""

import json
from pathlib import Path

import pytest
import yaml

from genbench.store.tuned import read_tuned

PLAN = {"budget": {"steps": 4}, "batch": 8, "samples": 20, "criteria": {"samples": "mmd"}}
SMALL = ("-m", "vae", "-d", "ring", "--device", "cpu", "-q")
FAILING = """
from genbench import Model, Player, model
from genbench.core.search import Choice
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam

@model("fails")
class Fails(Model):
    taxonomy = "implicit/direct"
    search = {"lr": Choice((1e-3, 1e-2))}
    def __init__(self, spec, rng, *, lr: float = 1e-3):
        super().__init__(spec, rng)
        self.net = MLP(spec.size, spec.size, (4,), rng)
    def players(self):
        return (Player("net", self.net, self.loss, adam(1e-2)),)
    def loss(self, batch, rng):
        raise ZeroDivisionError("planted on purpose")
    def sample(self, n, rng):
        return self.net(rng.normal(n, 2))
"""


@pytest.fixture
def genbench(genbench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return genbench


def plan(name="plan.yaml", dataset="ring", **changes):
    own = {**PLAN, "trials": 1, **changes}
    Path(name).write_text(yaml.safe_dump({"schema": 1, "suites": {}, "tuning": {dataset: own}}))
    return ("-c", name)


def flat(text):
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("dataset", "options", "said"),
    [("ring", {"nosuch": 3}, "nosuch"), ("super_resolution", {"scael": 2}, "scael")],
)
def test_options_that_data_lack_are_refused(genbench, dataset, options, said):
    code, _, err = genbench("tune", *plan(dataset=dataset, options=options), "--dry-run")
    assert code == 2
    assert said in err


def test_options_that_trials_search_are_refused_under_base(genbench):
    code, _, err = genbench("tune", *plan(base={"gan": {"lr": 0.5}}), "--dry-run")
    assert code == 2
    assert "lr for gan under base, which its trials search" in flat(err)


def test_a_suite_file_without_plans_says_so(genbench):
    Path("bare.yaml").write_text("schema: 1\nsuites: {}\n")
    code, _, err = genbench("tune", "-c", "bare.yaml", "-m", "gan", "--dry-run")
    assert code == 2
    assert "needs plans under tuning in the suite file, bare.yaml has none" in flat(err)


def test_hints_carry_what_was_named_and_quote_folders(genbench):
    asked = ("-m", "gan", "-d", "ring", "-o", "Q Q")
    for verb in ("--accept", "--curves"):
        code, _, err = genbench("tune", verb, *asked)
        assert code == 2
        assert "genbench tune -m gan -d ring -o 'Q Q'" in flat(err)
    _, out, _ = genbench("tune", *asked, "--dry-run", *plan())
    assert "genbench tune -c plan.yaml -m gan -d ring -o 'Q Q' --trials 1" in flat(out)


def test_trials_that_failed_before_are_told_each_time(genbench):
    Path("failing.py").write_text(FAILING)
    asked = ("tune", *plan(models=["fails"]), "--plugin", "failing.py", "-o", "runs")
    assert genbench(*asked)[0] == 3
    for more in ((), ("--json",)):
        code, out, err = genbench(*asked, *more)
        assert code == 3
        assert "--retry-failed" in err
        assert "--accept" not in out


def test_a_damaged_file_of_trials_says_what_mends_it(genbench):
    assert genbench("tune", *SMALL, *plan(), "-o", "runs")[0] == 0
    (file,) = Path("runs/tuning").glob("*.json")
    file.write_bytes(file.read_bytes()[:200])
    code, _, err = genbench("tune", *plan(), "--accept", "-o", "runs")
    assert code == 2
    assert "genbench tune" in err
    assert "makes its trials anew" in flat(err)
    assert genbench("tune", *SMALL, *plan(), "-o", "runs")[0] == 0
    assert genbench("tune", *plan(), "--accept", "-o", "runs")[0] == 0


def accepted(genbench):
    assert genbench("tune", *SMALL, *plan(), "-o", "runs")[0] == 0
    assert genbench("tune", *plan(), "--accept", "-o", "runs", "--tuned", "mine.yaml")[0] == 0
    return yaml.safe_load(Path("mine.yaml").read_text())


def test_two_entries_of_one_place_are_a_problem(genbench):
    content = accepted(genbench)
    content["entries"] *= 2
    Path("mine.yaml").write_text(yaml.safe_dump(content))
    code, out, err = genbench("validate", "runs", "--tuned", "mine.yaml")
    assert code == 1
    assert "2 entries of the same budget and minibatch" in flat(out + err)
    kept = Path("mine.yaml").read_bytes()
    Path("baselines").mkdir()
    Path("baselines/tuned.yaml").write_bytes(kept)
    cells = ("-m", "vae", "-d", "ring", "--steps", "4", "--seeds", "1", "--tuned-by", "samples")
    code, _, err = genbench("run", *cells, "--dry-run")
    assert (code, "2 entries of the same budget and minibatch" in flat(err)) == (2, True)
    assert genbench("tune", *plan(), "--accept", "-o", "runs", "--tuned", "mine.yaml")[0] == 2
    assert Path("mine.yaml").read_bytes() == kept


def test_what_validate_says_to_type_names_the_file(genbench):
    content = accepted(genbench)
    content["entries"][0]["choices"]["samples"]["validation"] = 1.0
    Path("mine.yaml").write_text(yaml.safe_dump(content))
    code, out, err = genbench("validate", "runs", "--tuned", "mine.yaml")
    assert code == 1
    assert "--accept --tuned mine.yaml -m vae -d ring" in flat(out + err)


def test_budgets_that_were_written_by_hand_are_taken_as_numbers(genbench):
    content = accepted(genbench)
    content["entries"][0]["budget"] = {"examples": "1000", "steps": None}
    Path("mine.yaml").write_text(yaml.safe_dump(content))
    assert read_tuned(Path("mine.yaml")).entries[0].budget == {"examples": 1000}
    assert genbench("validate", "runs", "--tuned", "mine.yaml")[0] == 1


def test_searches_of_one_data_set_by_other_options_are_told_apart(genbench):
    code, out, _ = genbench("tune", "-m", "srresnet", "--dry-run", "--json")
    rows = json.loads(out)
    assert code == 0
    assert len({json.dumps(row["dataset_options"]) for row in rows}) == len(rows) == 2
    _, out, _ = genbench("tune", "-m", "srresnet", "--dry-run")
    assert "scale=2" in flat(out)
    assert "scale=4" in flat(out)


def test_models_without_anything_to_tune_are_named(genbench):
    Path("plain.py").write_text(
        FAILING.replace('search = {"lr": Choice((1e-3, 1e-2))}', "").replace('"fails"', '"plain"')
    )
    asked = ("run", "-m", "plain", "-m", "resample", "-d", "ring", "--tuned-by", "samples")
    code, _, err = genbench(*asked, "--plugin", "plain.py", "--seeds", "1", "--dry-run")
    assert code == 0
    assert "as they have nothing to tune: plain" in flat(err)


def test_a_file_of_choices_that_cannot_be_read_is_named_where_its_marks_are_missing(genbench):
    run = ("run", "-m", "gaussian", "-d", "ring", "--seeds", "1", "--metrics", "mmd", "-q")
    assert genbench(*run, "-o", "runs")[0] == 0
    assert genbench("leaderboard", "-o", "runs")[0] == 0
    Path("baselines").mkdir()
    Path("baselines/tuned.yaml").write_text("schema: 1\nentries: [\n")
    code, _, err = genbench("leaderboard", "-o", "runs")
    assert code == 3
    assert "rows that were tuned are shown without that mark" in flat(err)
