"""Error rates and power of verdicts, by simulation; prints the table that `docs/judge.md` keeps.

python tests/proof/judge.py [--repeats N] [--to docs/judge.md]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import judge_skew
import numpy as np
from judge_rows import (
    BOOTSTRAPPED,
    FIVE,
    LOOKS,
    POWER,
    REPEATS,
    SIX,
    WANTS,
    Row,
    contest_of,
    draw_rows,
    find_limit,
    rates,
    wrong,
)

from genbench.core.effect import Effect, Scores, compare_best, fill_failed
from genbench.statistics.contests import summarise
from genbench.statistics.decisions import LEAST, decide, outcome_of
from genbench.statistics.intervals import mean_interval


def by_pairs(effect: Effect, level: float) -> str:
    """The contest as it was: seeds paired, bootstrap-t of every pair, Bonferroni's level for the choice."""
    contest = effect.contest
    ours, theirs = ({pair[k] for pair in contest.pairs} for k in (0, 1))

    def end(pairs, choices, which):
        rows = [list(contest.pairs[pair].values()) for pair in pairs]
        return [getattr(mean_interval(r, level=1 - (1 - level) / choices), which) for r in rows]

    low = min(end([(contest.ours, b) for b in theirs], len(ours), "low"))
    high = max(end([(a, contest.theirs) for a in ours], len(theirs), "high"))
    return "supported" if low > effect.bar else "refuted" if high < effect.bar else "inconclusive"


def by_pool(effect: Effect, level: float) -> str:
    """Student's t with one spread pooled over all entrants, Dunnett's quantile for the choice."""

    sides = fill_failed(*effect.contest.sides)
    moments = [{n: summarise(row) for n, row in side.items()} for side in sides]
    every = [m for side in moments for m in side.values()]
    freedom = sum(m.n - 1 for m in every)
    pooled = sum(m.variance * (m.n - 1) for m in every) / freedom

    def beats(ours, theirs, bar):
        critical = dunnett_quantile(len(ours), freedom, (1 - level) / 2)
        error = critical * math.sqrt(pooled * 2 / min(m.n for m in every))
        return (
            max(min(a.mean - b.mean for b in theirs.values()) for a in ours.values()) - error > bar
        )

    if beats(moments[0], moments[1], effect.bar):
        return "supported"
    return "refuted" if beats(moments[1], moments[0], -effect.bar) else "inconclusive"


QUANTILES: dict[tuple[int, int, float], float] = {}


def dunnett_quantile(choices: int, freedom: int, alpha: float) -> float:
    """Dunnett's one-sided quantile for equal sizes, by simulation of its own (a million draws)."""
    key = (choices, freedom, alpha)
    if key not in QUANTILES:
        rng = np.random.default_rng(5)
        z = rng.normal(size=(10**6, choices)) + rng.normal(size=(10**6, 1))
        largest = z.max(1) / math.sqrt(2) / np.sqrt(rng.chisquare(freedom, 10**6) / freedom)
        QUANTILES[key] = float(np.quantile(largest, 1 - alpha))
    return QUANTILES[key]


RULES: dict[str, Callable[[Effect, float], str]] = {
    "paired bootstrap-t (before)": by_pairs,
    "pooled t, Dunnett": by_pool,
    "Welch, moderated (taken)": outcome_of,
}


def contests(repeats: int, seeds: int = 8) -> list[Row]:
    """Six entrants against five: equal, unequal spreads, skewed; three standard deviations better."""
    uneven = [0.2, 1.0, 5.0]
    cases = {
        "ours alike, one of theirs as good, four far below": (
            SIX,
            FIVE,
            0.0,
            None,
            "normal",
            "error",
        ),
        "the same, skewed": (SIX, FIVE, 0.0, None, "skewed", "error"),
        "the same, spreads 1:5:25": (SIX, FIVE, 0.0, uneven, "normal", "error"),
        "all alike": (SIX, FIVE, 0.0, None, "normal", "error"),
        "one of ours 3 sd above all": (SIX, FIVE, 3.0, None, "normal", "power"),
        "one of ours 3 sd above all, skewed": (SIX, FIVE, 3.0, None, "skewed", "shown"),
    }
    table = []
    for case, (a, b, shift, spreads, shape, kind) in cases.items():
        for rule, decide_by in RULES.items():
            for level, at in ((0.95, "alone"), (LOOKS.level(0), "first of four looks")):
                if rule.startswith("paired") and at != "alone":
                    continue
                some = min(repeats, BOOTSTRAPPED) if rule.startswith("paired") else repeats
                rng = np.random.default_rng(1)
                outcomes = []
                for _ in range(some):
                    ours = draw_rows(rng, a, seeds, 0.0, spreads, shape)
                    best = draw_rows(rng, a[:1], seeds, shift, spreads, shape)
                    theirs = draw_rows(rng, b, seeds, 0.0, spreads, shape)
                    if "four far below" in case or case.startswith("the same"):
                        theirs |= {n: {s: v - 40 for s, v in theirs[n].items()} for n in b[1:]}
                    outcomes.append(decide_by(contest_of(ours | best, theirs), level))
                yes, no = rates(outcomes)
                fine = (
                    not wrong(yes + no, some)
                    if kind == "error"
                    else kind == "shown" or yes >= POWER
                )
                wants = WANTS[kind]
                table.append(
                    Row(
                        f"6 against 5, n = {seeds}: {case}",
                        f"{rule}, {at}",
                        yes,
                        no,
                        some,
                        wants,
                        fine,
                    )
                )
    return table


def pairs(repeats: int) -> list[Row]:
    """Rows of an experiment, whose seeds share data: compared pair by pair."""
    table = []
    for shift, kind in ((0.0, "error"), (3.0, "shown"), (4.0, "power")):
        rng = np.random.default_rng(9)
        outcomes = []
        for _ in range(repeats):
            shared = 10 * rng.normal(size=8)
            sides = [draw_rows(rng, names, 8) for names in ("abc", "v")]
            sides[0]["a"] = {s: v + shift for s, v in sides[0]["a"].items()}
            shifted = [
                {n: {s: v + shared[s] for s, v in row.items()} for n, row in side.items()}
                for side in sides
            ]
            gap = compare_best(*shifted, "higher")
            outcomes.append(outcome_of(Effect("gap", gap.values, contest=gap)))
        yes, no = rates(outcomes)
        fine = {"error": not wrong(yes + no, repeats), "power": yes >= POWER}.get(kind, True)
        case = f"three against one, n = 8, data shared by seed, {shift:.0f} sd apart"
        table.append(Row(case, "pair by pair, alone (taken)", yes, no, repeats, WANTS[kind], fine))
    return table


def sequences(repeats: int) -> list[Row]:
    """Seeds are added at 8, 16, 32 and 64 until a verdict is reached; the truth lies on the bar."""
    table = []
    for shape in ("normal", "skewed"):
        rng = np.random.default_rng(2)
        naive, declared, best = [], [], []
        for _ in range(repeats):
            row = draw_rows(rng, "a", 64, 0.0, None, shape)["a"]
            effect = Effect("mean", row, 0.0)
            said = [outcome_of(Effect("m", {s: row[s] for s in range(n)})) for n in LOOKS.counts]
            naive.append(next((o for o in said if o != "inconclusive"), "inconclusive"))
            declared.append(decide([effect], LOOKS)[0][0])
            rows = draw_rows(rng, "abcv", 64, 0.0, None, shape)
            gap = contest_of({n: rows[n] for n in "abc"}, {"v": rows["v"]})
            best.append(decide([gap], LOOKS)[0][0])
        for case, rule, said, wants in (
            (
                "one effect on its bar",
                "95 % at every look (before)",
                naive,
                "shown for comparison",
            ),
            ("one effect on its bar", "declared looks (taken)", declared, "<= 5 % wrong"),
            ("three alike against one", "declared looks (taken)", best, "<= 5 % wrong"),
        ):
            yes, no = rates(said)
            fine = wants.startswith("shown") or not wrong(yes + no, len(said))
            table.append(
                Row(f"up to 64 seeds, {shape}: {case}", rule, yes, no, len(said), wants, fine)
            )
    return table


def families(repeats: int) -> list[Row]:
    """A claim of four parts, all on their bars, judged at up to four looks."""
    rng = np.random.default_rng(3)
    outcomes = []
    for _ in range(repeats):
        effects = [Effect(str(k), draw_rows(rng, "a", 64)["a"]) for k in range(4)]
        said = {o for o, _ in decide(effects, LOOKS)}
        outcomes.append("supported" if said != {"inconclusive"} else "inconclusive")
    yes, no = rates(outcomes)
    case = "four parts on their bars, up to 64 seeds: any decided"
    return [
        Row(
            case,
            "declared looks, Holm (taken)",
            yes,
            no,
            repeats,
            "<= 5 % wrong",
            not wrong(yes, repeats),
        )
    ]


def failures(repeats: int) -> list[Row]:
    """Eight modes lost with chance .2 (mean loss 1.6, above the bar of 1), and runs that fail."""
    table = []
    for seeds in (8, 16, 32):
        for jump, rule in (
            (0.0, "no room for rare events (before)"),
            (8.0, "room for one of 8 modes (taken)"),
        ):
            rng = np.random.default_rng(4)
            outcomes = []
            for _ in range(repeats):
                lost = 8.0 * (rng.random(seeds) < 0.2)
                values = dict(enumerate(lost.tolist()))
                low_high = mean_interval(list(lost))
                if jump:
                    outcomes.append(
                        outcome_of(Effect("lost", values, 1.0, jump=jump, resolution=1.0))
                    )
                else:
                    high = low_high.high
                    outcomes.append("refuted" if high is not None and high < 1 else "inconclusive")
            yes, no = rates(outcomes)
            fine = not jump or not wrong(no, repeats)
            wants = "<= 5 % refuted" if jump else "shown for comparison"
            table.append(
                Row(
                    f"8 modes lost with chance .2, bar 1, n = {seeds}",
                    rule,
                    yes,
                    no,
                    repeats,
                    wants,
                    fine,
                )
            )
    for drop, rule in (
        (True, "failed seeds dropped (before)"),
        (False, "failed seeds are worst (taken)"),
    ):
        rng = np.random.default_rng(6)
        outcomes = []
        for _ in range(repeats):
            ours, theirs = draw_rows(rng, "a", 16, 2.0), draw_rows(rng, "v", 16)
            failed = rng.random(16) < 0.75
            kept = {s: v for s, v in ours["a"].items() if not failed[s]}
            row = (
                kept if drop else {s: -math.inf if failed[s] else v for s, v in ours["a"].items()}
            )
            outcomes.append(
                outcome_of(contest_of({"a": row}, theirs))
                if len(kept) >= (LEAST if drop else 1)
                else "inconclusive"
            )
        yes, no = rates(outcomes)
        case = "2 sd better where it completes, 3 runs of 4 fail, n = 16"
        wants = "shown for comparison" if drop else "<= 5 % supported"
        table.append(Row(case, rule, yes, no, repeats, wants, drop or not wrong(yes, repeats)))
    return table


def test_sets(repeats: int) -> list[Row]:
    """Two models alike but for what the test set and the extractor make of them (sd .5 of a seed's)."""
    table = []
    for noise, rule in ((0.0, "seeds alone (before)"), (0.5, "with the test set's share (taken)")):
        rng = np.random.default_rng(7)
        outcomes = []
        for _ in range(repeats):
            luck = 0.5 * rng.normal()
            ours, theirs = draw_rows(rng, "a", 16, luck), draw_rows(rng, "v", 16)
            sides = [{n: Scores(row, noise) for n, row in side.items()} for side in (ours, theirs)]
            outcomes.append(outcome_of(contest_of(*sides)))
        yes, no = rates(outcomes)
        wants = "<= 5 % wrong" if noise else "shown for comparison"
        fine = not noise or not wrong(yes + no, repeats)
        table.append(
            Row("two models alike, one test set, n = 16", rule, yes, no, repeats, wants, fine)
        )
    return table


def introduce(repeats: int) -> list[str]:
    """The lines above the table: how it was made, and what a row that holds means."""
    some, limit = min(repeats, BOOTSTRAPPED), 100 * find_limit(repeats)
    return [
        f"Made by `make judge`: {repeats:,} simulated claims a row, {some} of the paired bootstrap. Rows",
        "marked (taken) are the functions that judge claims; the others are what they replaced, or were not",
        "taken.",
        "",
        f"A simulated rate is itself uncertain: where 5 % are asked for, a row holds up to {limit:.2f} %,",
        f"which is 5 % and two standard errors of a rate of {repeats:,}. Where verdicts are wrong on either",
        "side, supported and refuted count together. Power has no such allowance.",
        "",
        "Few seeds cannot show a tail that they have not reached: where a tight row meets log-normal values",
        "of sigma 1 (skewness 6), or where one run of ten fails and nobody said by how much, verdicts are",
        "wrong more often than in 5 %, as the rows without a demand say. A rare failure that no seed has",
        "shown looks like a row that never fails: its size is to be declared as `jump`, and 1 as the",
        "`resolution` of outcomes that are 0 or 1. Log-normal rows come near 5 % from 16 seeds on.",
    ]


def to_markdown(table: list[Row], repeats: int) -> str:
    """The table as Markdown."""
    lines = [
        "# Error rates and power of verdicts",
        "",
        *introduce(repeats),
        "",
        "| case | rule | supported | refuted | asked | holds |",
        "| --- | --- | ---: | ---: | --- | --- |",
    ]
    for row in table:
        holds = (
            ""
            if row.wants.startswith("shown") or "(taken)" not in row.rule
            else ("yes" if row.holds else "**no**")
        )
        lines.append(
            f"| {row.case} | {row.rule} | {row.supported:.1%} | {row.refuted:.1%} | {row.wants} | {holds} |"
        )
    return "\n".join(lines) + "\n"


def make_table(repeats: int) -> list[Row]:
    """All simulations."""
    return [
        *contests(repeats),
        *pairs(repeats),
        *sequences(repeats),
        *families(repeats),
        *failures(repeats),
        *test_sets(repeats),
        *judge_skew.list_rows(repeats),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--to", type=Path)
    chosen = parser.parse_args()
    table = make_table(chosen.repeats)
    text = to_markdown(table, chosen.repeats)
    print(text)
    if chosen.to is not None:
        chosen.to.write_text(text)
    raise SystemExit(any("(taken)" in row.rule and not row.holds for row in table))


if __name__ == "__main__":
    main()
