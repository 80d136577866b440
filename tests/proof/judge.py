"""Error rates and power of verdicts, by simulation; prints the table that `docs/judge.md` keeps.

python tests/proof/judge.py [--repeats N] [--to docs/judge.md]
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import judge_contests
import judge_rare
import judge_skew
import numpy as np
from judge_rows import (
    BOOTSTRAPPED,
    LOOKS,
    REPEATS,
    Row,
    contest_of,
    draw_rows,
    find_limit,
    make_row,
)

from genbench.claims._ranks import compare_extremes
from genbench.core.effect import Effect, Scores, compare_best
from genbench.statistics.contests import LEAST
from genbench.statistics.decisions import decide, outcome_of
from genbench.statistics.intervals import mean_interval
from genbench.statistics.looks import ALPHA, Looks


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
        case = f"three against one, n = 8, data shared by seed, {shift:.0f} sd apart"
        table.append(make_row(case, "pair by pair, alone (taken)", kind, outcomes))
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
        one, three = (
            f"up to 64 seeds, {shape}: {what}"
            for what in ("one effect on its bar", "three alike against one")
        )
        table += [
            make_row(one, "95 % at every look (before)", "shown", naive),
            make_row(one, "declared looks (taken)", "error", declared),
            make_row(three, "declared looks (taken)", "error", best),
        ]
    return table


def families(repeats: int) -> list[Row]:
    """A claim of four parts, all on their bars, judged at up to four looks."""
    rng = np.random.default_rng(3)
    outcomes = []
    for _ in range(repeats):
        effects = [Effect(str(k), draw_rows(rng, "a", 64)["a"]) for k in range(4)]
        outcomes.append(_any_decided({o for o, _ in decide(effects, LOOKS)}))
    case = "four parts on their bars, up to 64 seeds: any decided"
    return [make_row(case, "declared looks, Holm (taken)", "error", outcomes)]


def fewer_seeds(repeats: int) -> list[Row]:
    """A claim that plans 32 seeds, with a part that plans 8 and so is judged earlier; all on their bars."""
    claim, table = Looks(32), []
    for others, what in ((0, "alone"), (1, "beside one of 32")):
        rng = np.random.default_rng(13)
        before, taken = [], []
        for _ in range(repeats):
            row, *rest = (draw_rows(rng, "a", 64)["a"] for _ in range(1 + others))
            # its seeds up to 8 were judged as if they were those of the claim's first look
            share = ALPHA / (1 + others)
            looks = ((8, 0), *((count, look) for look, count in enumerate(claim.counts)))
            said = {
                outcome_of(Effect("m", {s: row[s] for s in range(n)}), claim.level(look, share))
                for n, look in looks
            }
            wide = [Effect(str(k), values) for k, values in enumerate(rest)]
            said |= {o for o, _ in decide(wide, claim)} if not said - {"inconclusive"} else set()
            before.append(_any_decided(said))
            parts = [Effect("few", row, planned=8), *wide]
            taken.append(_any_decided({o for o, _ in decide(parts, claim)}))
        case = f"a part of 8 seeds of a claim of 32, up to 64, {what}: any decided"
        table.append(make_row(case, "the claim's looks and one at 8 (before)", "shown", before))
        table.append(make_row(case, "looks of its own (taken)", "error", taken))
    return table


def _any_decided(said: set[str]) -> str:
    return "supported" if said - {"inconclusive"} else "inconclusive"


def lost_modes(repeats: int) -> list[Row]:
    """Eight modes lost with chance .2: a mean loss of 1.6, above the bar of 1."""

    def by_interval(values: dict[int, float]) -> str:
        high = mean_interval(list(values.values())).high
        return "refuted" if high is not None and high < 1 else "inconclusive"

    def with_room(values: dict[int, float]) -> str:
        return outcome_of(Effect("lost", values, 1.0, jump=8.0, resolution=1.0))

    table = []
    for seeds in (8, 16, 32):
        for rule, say, kind in (
            ("no room for rare events (before)", by_interval, "shown"),
            ("room for one of 8 modes (taken)", with_room, "refuted"),
        ):
            rng = np.random.default_rng(4)
            rows = [8.0 * (rng.random(seeds) < 0.2) for _ in range(repeats)]
            outcomes = [say(dict(enumerate(row.tolist()))) for row in rows]
            case = f"8 modes lost with chance .2, bar 1, n = {seeds}"
            table.append(make_row(case, rule, kind, outcomes))
    return table


def failed_runs(repeats: int) -> list[Row]:
    """A model that is better where it completes, which it rarely does."""
    table = []
    for drop, rule, kind in (
        (True, "failed seeds dropped (before)", "shown"),
        (False, "failed seeds are worst (taken)", "supported"),
    ):
        rng = np.random.default_rng(6)
        outcomes = []
        for _ in range(repeats):
            ours, theirs = draw_rows(rng, "a", 16, 2.0), draw_rows(rng, "v", 16)
            failed = rng.random(16) < 0.75
            kept = {s: v for s, v in ours["a"].items() if not failed[s]}
            row = kept if drop else dict.fromkeys(ours["a"], -math.inf) | kept
            enough = len(kept) >= (LEAST if drop else 1)
            gap = contest_of({"a": row}, theirs) if enough else None
            outcomes.append("inconclusive" if gap is None else outcome_of(gap))
        case = "2 sd better where it completes, 3 runs of 4 fail, n = 16"
        table.append(make_row(case, rule, kind, outcomes))
    return table


def test_sets(repeats: int) -> list[Row]:
    """Two models alike but for what the test set and the extractor make of them (sd .5 of a seed's)."""
    table = []
    for noise, rule, kind in (
        (0.0, "seeds alone (before)", "shown"),
        (0.5, "with the test set's share (taken)", "error"),
    ):
        rng = np.random.default_rng(7)
        outcomes = []
        for _ in range(repeats):
            luck = 0.5 * rng.normal()
            ours, theirs = draw_rows(rng, "a", 16, luck), draw_rows(rng, "v", 16)
            sides = [{n: Scores(row, noise) for n, row in side.items()} for side in (ours, theirs)]
            outcomes.append(outcome_of(contest_of(*sides)))
        table.append(make_row("two models alike, one test set, n = 16", rule, kind, outcomes))
    return table


def extremes(repeats: int) -> list[Row]:
    """The worst row over the best of one experiment, by log ratios; and as the other seeds rank them."""

    def by_others(rows: dict[str, dict[int, float]]) -> dict[int, float]:
        logs = {name: {s: math.log(v) for s, v in row.items()} for name, row in rows.items()}
        gaps, sums = {}, {name: math.fsum(row.values()) for name, row in logs.items()}
        for seed in next(iter(logs.values())):
            means = {name: sums[name] - row[seed] for name, row in logs.items()}
            worst, best = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
            gaps[seed] = logs[worst][seed] - logs[best][seed]
        return gaps

    table = []
    for names, shift, bar, kind, what in (
        ("ab", 0.0, 0.0, "error", "two alike"),
        ("abcd", 0.0, 0.0, "error", "four alike"),
        ("ab", 0.35, 0.223, "refuted", "one of two .35 above, bar .223"),
        ("abcd", 2.0, 0.223, "power", "one of four 2 sd above, bar .223"),
    ):
        rng, before, taken = np.random.default_rng(11), [], []
        for _ in range(repeats):
            logs = draw_rows(rng, names, 16)
            logs["a"] = {s: v + shift for s, v in logs["a"].items()}
            rows = {n: {s: math.exp(v) for s, v in row.items()} for n, row in logs.items()}
            before.append(outcome_of(Effect("gap", by_others(rows), bar)))
            gap = compare_extremes(rows)
            taken.append(outcome_of(Effect("gap", gap.values, bar, contest=gap)))
        case = f"worst over best of one experiment, n = 16: {what}"
        table.append(make_row(case, "as the other seeds rank them (before)", "shown", before))
        table.append(make_row(case, "simultaneous over the choice (taken)", kind, taken))
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
        "wrong in more than 5 %, as the rows of which nothing is asked say. A rare failure that no seed has",
        "shown looks like a row that never fails. Where runs of its family have failed on the same data",
        "(`baselines/rare_events.json`), intervals leave room for one as often and as far as those did; what",
        "an experiment may show is to be declared as `jump`, and 1 as the `resolution` of outcomes that are",
        "0 or 1. Log-normal rows come near 5 % from 16 seeds on.",
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
        *judge_contests.list_rows(repeats),
        *pairs(repeats),
        *sequences(repeats),
        *families(repeats),
        *fewer_seeds(repeats),
        *lost_modes(repeats),
        *failed_runs(repeats),
        *test_sets(repeats),
        *extremes(repeats),
        *judge_skew.list_rows(repeats),
        *judge_rare.list_rows(repeats),
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
