"""`docs/judge.md` is what `make judge` writes: its settings, its format, and what its rows conclude."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    place = importlib.util.spec_from_file_location("judge_script", ROOT / "tests/proof/judge.py")
    module = importlib.util.module_from_spec(place)
    sys.modules[place.name] = module
    sys.path.insert(0, str(ROOT / "tests/proof"))
    place.loader.exec_module(module)
    sys.path.pop(0)
    yield module
    for name in (place.name, "judge_contests", "judge_rows", "judge_skew"):
        del sys.modules[name]


@pytest.fixture(scope="module")
def document():
    return (ROOT / "docs/judge.md").read_text()


@pytest.fixture(scope="module")
def rows(script, document):
    """The document's rows as the script has them."""
    rows = []
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] not in ("case", "---"):
            case, rule, supported, refuted, wants, holds = cells
            rates = [float(rate.rstrip("%")) / 100 for rate in (supported, refuted)]
            rows.append(script.Row(case, rule, *rates, script.REPEATS, wants, holds != "**no**"))
    return rows


def test_the_document_is_of_the_repeats_that_make_judge_takes(script, document):
    assert f"{script.REPEATS:,} simulated claims a row" in document
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^\t\S+ tests/proof/judge\.py --to docs/judge\.md$", makefile, re.M)


def test_the_document_says_how_much_a_simulated_rate_may_miss(script, document):
    assert script.find_limit(2000) == pytest.approx(0.05 + 2 * (0.05 * 0.95 / 2000) ** 0.5)
    assert f"a row holds up to {100 * script.find_limit(script.REPEATS):.2f} %" in document


def test_the_document_is_in_the_script_s_words_and_format(script, document, rows):
    assert script.to_markdown(rows, script.REPEATS) == document


def test_the_document_has_the_script_s_cases(script, rows, monkeypatch):
    monkeypatch.setattr(script.judge_contests, "dunnett_quantile", lambda *about: 2.5)
    again = script.make_table(2)
    assert [(r.case, r.rule, r.wants) for r in again] == [(r.case, r.rule, r.wants) for r in rows]


def test_rows_that_hold_are_within_the_allowance(script, rows):
    """By the printed rates, to their last digit."""
    asked = sys.modules["judge_rows"]
    taken = [row for row in rows if "(taken)" in row.rule]
    assert len(taken) > 20
    for row in taken:
        wrong = {
            "<= 5 % wrong": row.supported + row.refuted,
            "<= 5 % refuted": row.refuted,
            "<= 5 % supported": row.supported,
        }
        if row.wants in wrong:
            assert row.holds == (wrong[row.wants] <= script.find_limit(row.repeats) + 0.001), row
        elif row.wants == asked.WANTS["power"]:
            assert row.holds == (row.supported >= asked.POWER - 0.0005), row
