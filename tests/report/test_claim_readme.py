from pathlib import Path

import pytest

from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect
from genbench.report.cards import Card, make_cards
from genbench.report.claim_readme import to_scoreboard, update_readme
from genbench.running.scale import Scale
from genbench.store import Store

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "docs/claims.md", "docs/fairness.md"])
def test_documents_show_the_verdicts(name, tmp_path):
    copy = tmp_path / "copy.md"
    copy.write_text((ROOT / name).read_text())
    built_in = [
        n for n, c in CLAIMS.all().items() if c.function.__module__.startswith("genbench.")
    ]
    made = make_cards(Store(ROOT / "results"), built_in, Scale())
    assert not update_readme(copy, made), (
        f"{name} is not current; run: genbench claims -o results --readme {name}"
    )


RUN = Run("gan", "ring", ("mmd",), steps=10)


def make_card(store, mean, *, whole=True):
    """A claim whose values lie this far above their bar, with deviation 1; perhaps with a part to come."""
    values = {seed: mean + (-1) ** seed for seed in range(8)}
    more = [] if whole else [Effect("y", {}, 0.0)]
    about = dict.fromkeys(("statement", "source", "why"), "x")

    def effects(evidence):
        return [Effect("x", values, 0.0), *more]

    return Card(Claim(f"{'at' if whole else 'part'}_{mean}", effects, runs=(RUN,), **about), store)


def test_the_scoreboard_says_whether_more_seeds_would_tell(tmp_path):
    store = Store(tmp_path)
    cards = [make_card(store, mean) for mean in (0.6, 0.01, 0.0, 9.0)]
    cards += [make_card(store, mean, whole=False) for mean in (0.6, 9.0)]
    rows = [line for line in to_scoreboard(cards).splitlines() if "-" in line and "(" in line]
    assert [row.split("|")[1].strip() for row in rows] == [
        "supported (1)",
        "inconclusive, more seeds would tell (1)",
        "inconclusive, 64 seeds would not (2)",
        "inconclusive, measured in part (2)",
    ]
    assert "at-0.6" in rows[1]


def test_seeds_tell_where_parts_would_be_decided_both_ways_though_another_stays_open(tmp_path):
    """One that needs 13 seeds, one that needs as many on the other side, one that none decides: mixed."""

    def say(*means):
        parts = [
            Effect(str(k), {seed: mean + (-1) ** seed for seed in range(8)})
            for k, mean in enumerate(means)
        ]
        about = dict.fromkeys(("statement", "source", "why"), "x")
        claim = Claim("open", lambda evidence: parts, runs=(RUN,), **about)
        card = Card(claim, Store(tmp_path))
        assert card.kind == "inconclusive"
        return to_scoreboard([card])

    assert "more seeds would tell" in say(0.6, 0.0, -0.6)
    assert "64 seeds would not" in say(0.6, 0.0, 0.6)
    assert "more seeds would tell" in say(0.6, 0.6)
