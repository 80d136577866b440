"""Entrants beside their families' best by validation scores: the committed list, and planted scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genbench.core.entrants import FILE as ENTRANTS
from genbench.report.family_bests import compare_entrants, make_sheet
from genbench.report.sheet import to_markdown
from genbench.report.site.fairness_page import describe_overtaken
from genbench.store.tuned import FILE, read_tuned

ROOT = Path(__file__).parents[2]
ENTRIES = read_tuned(ROOT / FILE).entries
DIGITS = [entry for entry in ENTRIES if entry.dataset == "digits"]


def family(rows, name):
    (row,) = (row for row in rows if row.family == name)
    return row


def planted(model, value):
    """The entries of digits with another validation score of a model."""
    changed = []
    for entry in DIGITS:
        if entry.model == model:
            choice = entry.choices["samples"].model_copy(update={"validation": value})
            entry = entry.model_copy(update={"choices": {**entry.choices, "samples": choice}})
        changed.append(entry)
    return changed


@pytest.mark.parametrize(
    ("name", "entrants", "best"),
    [
        ("variational", ["vae"], "iwae"),
        ("flow", ["realnvp"], "maf"),
        ("diffusion", ["ddpm", "flow_matching"], "flow_matching"),
    ],
)
def test_who_is_best_on_digits_by_the_committed_scores(name, entrants, best):
    row = family(compare_entrants(DIGITS), name)
    assert (list(row.entrants), row.best, row.overtaken) == (entrants, best, best not in entrants)
    scores = {entry.model: entry.choices["samples"].validation for entry in DIGITS}
    assert row.value == scores[best]
    assert row.entrants == {model: scores[model] for model in entrants}


def test_the_least_distance_is_the_best():
    row = family(compare_entrants(planted("vae", 1.0)), "variational")
    assert (row.best, row.value, row.overtaken) == ("vae", 1.0, False)


def test_models_that_are_told_the_class_are_no_rivals():
    assert family(compare_entrants(planted("cgan", 0.1)), "adversarial").best != "cgan"


def test_an_entrant_without_trials_is_named():
    entries = [entry for entry in DIGITS if entry.model != "vae"]
    row = family(compare_entrants(entries), "variational")
    assert row.entrants == {"vae": None}
    assert row.untuned == ["vae"]
    assert (
        "Not tuned, where others of the family are: vae on digits" in describe_overtaken([row])[-1]
    )


def test_searches_that_were_not_alike_stand_in_rows_of_their_own():
    """At one budget too: one trial of 200 examples is no rival of 21 of 1000."""
    own = next(entry for entry in DIGITS if entry.model == "vae")
    few = own.model_copy(
        update={"trials": 1, "rule": own.rule.model_copy(update={"samples": 200})}
    )
    rows = compare_entrants([entry if entry.model != "vae" else few for entry in DIGITS])
    alone, beside = sorted(
        (row for row in rows if row.family == "variational"),
        key=lambda row: row.entrants["vae"] is None,
    )
    assert (alone.best, alone.about) == ("vae", "1 trials by random, samples 200")
    assert (beside.best, beside.entrants["vae"]) == ("iwae", None)
    text = "\n".join(to_markdown(make_sheet(rows)))
    assert "| digits, 21 trials by random, samples 1000 | variational |" in text
    assert all(row.about == "" for row in compare_entrants(ENTRIES))


def test_pairs_have_no_entrants_and_so_no_rows():
    pairs = [entry for entry in ENTRIES if entry.dataset == "super_resolution"]
    assert pairs
    assert compare_entrants(pairs) == []


def test_the_table_marks_who_is_better_than_the_entrants_and_the_page_says_it():
    rows = compare_entrants(DIGITS)
    text = "\n".join(to_markdown(make_sheet(rows)))
    assert "| vae 65.1 | **iwae 57.6** |" in text
    assert "| pixelcnn 32.4 |" in text
    (sentence,) = describe_overtaken(rows)
    assert "iwae on digits (57.6 in fid; vae 65.1)" in sentence
    assert "pixelcnn" not in sentence


def test_the_list_does_not_say_that_scores_chose_it():
    about = json.loads(ENTRANTS.read_text())["about"]
    assert "laid down before the trials" in about
    assert "joins or leaves" not in about
