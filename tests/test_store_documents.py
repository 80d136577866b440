import re

import pytest

from genbench.core.errors import SpecError, StoreError
from genbench.core.spec import Budget, Part
from genbench.report.gate.baseline import Baseline
from genbench.store.documents import load_suites, read_json
from genbench.store.form import from_bytes

BASE = """\
schema: 1
suites:
  demo:
    description: d
    metrics: [fid, {name: kid, options: {subsets: 5}}]
    cells:
      - models: gan
        datasets: [ring, {name: grid}]
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "suites.yaml"
        path.write_text(text)
        return load_suites(path)

    return read


def test_a_suite_is_read_with_its_defaults(read):
    suite = read(BASE)["demo"]
    assert suite.metrics == [Part(name="fid"), Part(name="kid", options={"subsets": 5})]
    assert suite.cells[0].models == [Part(name="gan")]
    assert [part.name for part in suite.cells[0].datasets] == ["ring", "grid"]
    assert suite.seed_list == list(range(8))
    assert suite.budget == Budget(steps=4000)
    assert read(BASE + "    seeds: [3, 1]\n")["demo"].seed_list == [3, 1]


@pytest.mark.parametrize(
    ("added", "line", "key", "said"),
    [
        ("    budgett: {steps: 1}", 9, "budgett", "did you mean 'budget'"),
        ("    budget: {}", 9, "budget", "give exactly one of steps, examples, seconds, got {}"),
        ("    budget: {steps: 1, seconds: 2}", 9, "budget", "give exactly one of"),
        ("    budget:\n      step: 3", 10, "budget.step", "did you mean 'steps'"),
        ("    budget: {seconds: .inf}", 9, "budget.seconds", "finite number, got inf"),
        ("    budget: {steps: 0}", 9, "budget.steps", "greater than or equal to 1, got 0"),
        ("    seeds: x", 9, "seeds", "valid integer.*got 'x'"),
        ("    seeds: []", 9, "seeds", "positive number of seeds"),
        ("    seeds: 0", 9, "seeds", "positive number of seeds"),
        ("    seeds: [1, 1]", 9, "seeds", "each once"),
        ("    seeds: [1, -1]", 9, "seeds", ">= 0"),
        ("    seeds: [1, a]", 9, "seeds.1", "valid integer.*got 'a'"),
        ("    samples: 1", 9, "samples", "greater than or equal to 2, got 1"),
        ("    seeds: true", 9, "seeds", "a number, got True"),
        ("    seeds: 1000000000", 9, "seeds", "at most 10000, got 1000000000"),
        ("    batch: true", 9, "batch", "a number, got True"),
        ("    batch: 1000000000000000000000", 9, "batch", "equal to 2147483647, got 1000"),
        ("    budget: {steps: true}", 9, "budget.steps", "a number, got True"),
        (
            "      - {models: gan, datasets: ring, training: {rates: {generator: -1}}}",
            9,
            "cells.1.training.rates.generator",
            "greater than 0, got -1",
        ),
        ("    precision: float16", 9, "precision", "'float32' or 'float64', got 'float16'"),
        (
            "      - model: gan\n        datasets: ring",
            9,
            "cells.1.model",
            "did you mean 'models'",
        ),
        ("      - models: []\n        datasets: ring", 9, "cells.1.models", "at least 1 item"),
        ("      - models: gan", 9, "cells.1.datasets", "required"),
        (
            "      - datasets: ring\n        models: [{name: gan, optoins: {}}]",
            10,
            "cells.1.models.0.optoins",
            "did you mean 'options'",
        ),
        ("      - datasets: ring\n        models: {nam: a}", 10, "cells.1.models.nam", "'name'"),
    ],
)
def test_every_error_names_file_line_and_key(read, tmp_path, added, line, key, said):
    with pytest.raises(SpecError) as caught:
        read(f"{BASE}{added}\n")
    told = str(caught.value)
    assert told.startswith(f"{tmp_path / 'suites.yaml'}:{line}: suites.demo.{key}: "), told
    assert re.search(said, told), told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r":1: the file: needs a mapping of schema, suites, tuning, got None"),
        ("[1, 2]", r":1: the file: "),
        ("schema: 2\nsuites: {}", r":1: schema: .*1, got 2"),
        ("schema: 1\nsuits: {}", r":2: suits: unknown key 'suits'; did you mean 'suites'"),
        ("suites: {a: [}", r":1 is not valid YAML: "),
        ("suites:\n\t- a", r":2 is not valid YAML: "),
        ("suites: !!python/object:os.system {}", "is not valid YAML: could not determine"),
        ("a: 2020-99-99", "is not a usable suite file: month"),
        ("[" * 2000, "is not a usable suite file"),
    ],
)
def test_a_file_of_another_kind_is_refused(read, text, said):
    with pytest.raises(SpecError, match=said):
        read(text)


def bomb(levels):
    lines = ["schema: 1", "x0: &x0 [a,a,a,a,a,a,a,a,a]"]
    for i in range(1, levels):
        lines.append(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]")
    return "\n".join([*lines, f"suites: {{demo: {{metrics: *x{levels - 1}}}}}"])


@pytest.mark.parametrize("text", [bomb(8), "a: &a [*a]\nsuites: {}"], ids=["nested", "cyclic"])
def test_few_aliases_that_unfold_to_many_entries_are_refused(read, text):
    with pytest.raises(SpecError, match="aliases unfold to more than 100000 entries"):
        read(text)


@pytest.mark.parametrize("text", [bomb(30), "#" * 1_000_001], ids=["aliases", "size"])
def test_a_file_that_is_too_large_is_refused_unread(read, text):
    with pytest.raises(SpecError, match="too large for a suite file"):
        read(text)


def test_honest_aliases_are_welcome(read):
    suite = read(BASE.replace("metrics: [", "metrics: &m [") + "    curve_metrics: *m\n")["demo"]
    assert suite.curve_metrics == suite.metrics


def test_unreadable_files_are_named(tmp_path):
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.yaml", tmp_path, binary):
        with pytest.raises(
            SpecError, match=f"cannot read the suite file {re.escape(str(path))}: "
        ):
            load_suites(path)


def test_json_files_are_read_by_the_same_rules(tmp_path):
    path = tmp_path / "baseline.json"
    path.write_text('{\n "schema": "genbench.baseline/1",\n "acepted": {}\n}')
    with pytest.raises(StoreError) as caught:
        read_json(path, Baseline, what="baseline", make="make one")
    assert str(caught.value) == (
        f"{path}:3: acepted: unknown key 'acepted'; did you mean 'accepted'?"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "schema: 1\nsuites: {}\nschema: 1\n",
            ":3: key 'schema' is there twice, on lines 1 and 3",
        ),
        (
            "schema: 1\nsuites:\n  a: &a\n    seeds: 2\n    seeds: 3\n  b: *a\n",
            ":5: key 'seeds' .* lines 4 and 5",
        ),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_both_lines(tmp_path, text, says):
    path = tmp_path / "suites.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=says):
        load_suites(path)


def test_half_characters_are_refused(tmp_path):
    suite, baseline = tmp_path / "suites.yaml", tmp_path / "b.json"
    suite.write_text('suites:\n  "\\ud800": 1\n')
    with pytest.raises(SpecError, match="line 2 holds half a character"):
        load_suites(suite)
    baseline.write_text('{"schema": "\\udc00"}')
    with pytest.raises(StoreError, match=r"is not a baseline: .*escape"):
        read_json(baseline, Baseline, what="baseline", make="make one")
    with pytest.raises(ValueError, match="escape"):
        from_bytes(b'{"schema": "genbench.record/1", "cell": "\\ud800"}', trusted=True)


def test_a_key_of_json_that_is_there_twice_is_refused_with_both_lines(tmp_path):
    path = tmp_path / "b.json"
    path.write_text('{\n "schema": 1,\n "a": {"b": 1},\n "schema": 1\n}\n')
    with pytest.raises(StoreError, match=r"key 'schema' is there twice, on lines 2 and 4"):
        read_json(path, Baseline, what="baseline", make="make one")
