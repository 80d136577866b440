"""The judge on planted effects: looks, contests, rare events, failures, power; a slice of `make judge`."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from genbench.core.effect import Effect, Noise, Scores, compare_best, difference, log_ratio
from genbench.report.claim_tables import explain_gap, needed_text, says
from genbench.statistics.contests import LEAST, estimate, summarise_sides
from genbench.statistics.decisions import decide, outcome_of
from genbench.statistics.intervals import mean_interval, widen
from genbench.statistics.leave_one_out import leave_one_out
from genbench.statistics.looks import ALPHA, Looks, nominal_levels, spend
from genbench.statistics.moments import moderate, summarise
from genbench.statistics.open_parts import ALIKE, ALL_FAILED
from genbench.statistics.power import count_needed_seeds
from genbench.statistics.ranking import make_ranking
from genbench.statistics.rooms import unseen_chance
from genbench.statistics.subsets import keep_seeds
from genbench.statistics.verdicts import judge


def normal(seed, n=8, mean=0.0, sd=1.0):
    return dict(enumerate((mean + sd * np.random.default_rng(seed).normal(size=n)).tolist()))


def contest(ours, theirs, bar=0.0, **about):
    gap = compare_best(ours, theirs, "higher")
    return Effect("gap", gap.values, bar, contest=gap, **about)


def cells(values, noise=0.0):
    return Scores(values, noise, independent=True)


def test_levels_of_looks_spend_all_of_the_error_and_no_more():
    assert Looks(8).counts == (8, 16, 32, 64)
    assert Looks(10).counts == (10, 20, 40, 64)
    assert Looks(64).counts == (64,)
    assert spend(1.0) == pytest.approx(ALPHA)
    assert nominal_levels((64,)) == pytest.approx((ALPHA,))
    # Pocock's constant for four looks is .0182, O'Brien and Fleming's last level .043
    levels = nominal_levels((1, 2, 3, 4), gamma=1.0)
    assert levels[0] == pytest.approx(spend(0.25, gamma=1.0), rel=1e-6)
    assert all(0.009 < level < 0.026 for level in levels)
    rng, counts = np.random.default_rng(0), (8, 16, 32, 64)
    walks = rng.normal(size=(40_000, 64)).cumsum(1)[:, [n - 1 for n in counts]]
    z = np.abs(walks / np.sqrt(counts))
    from scipy.special import ndtri

    bounds = -ndtri(np.array(nominal_levels(counts)) / 2)
    assert (z > bounds).any(1).mean() == pytest.approx(ALPHA, abs=0.004)


def test_an_open_part_whose_interval_clears_the_bar_says_at_which_level_it_was_judged():
    values = normal(0, 8, 1.0)
    near = Effect("near", values, estimate(Effect("e", values)).low - 0.05)
    alone = judge([near], looks=Looks(64)).parts[0]
    assert alone.deciding is None, "64 seeds were not tried, so that nothing was judged"
    parts = judge(
        [near, *(Effect(f"open {k}", normal(k, 8, 0.0)) for k in (1, 2, 3))], looks=Looks(8)
    ).parts
    part = parts[0]
    assert (part.outcome, part.seems_decided) == ("inconclusive", True)
    level, interval = part.deciding
    open_ = sum(part.outcome == "inconclusive" for part in parts)
    assert level == pytest.approx(Looks(8).level(0, ALPHA / open_))
    wide = estimate(near, level)
    assert (interval.low, interval.high) == pytest.approx((wide.low, wide.high))
    assert interval.low < near.bar < part.estimate.low
    assert f"at {100 * level:.1f} %" in explain_gap(part)
    assert not any(explain_gap(other) for other in parts[1:]), "their 95 % holds the bar"
    (clear,) = judge([Effect("clear", normal(0, 8, 9.0))], looks=Looks(8)).parts
    assert (clear.outcome, clear.deciding, explain_gap(clear)) == ("supported", None, "")


def test_the_deciding_interval_is_of_the_seeds_of_the_last_look():
    values = normal(3, 12, 0.3)
    (part,) = judge([Effect("e", values)], looks=Looks(8)).parts
    level, interval = part.deciding
    eight = estimate(Effect("e", {s: values[s] for s in range(8)}), level)
    assert (part.outcome, interval.n) == ("inconclusive", 8)
    assert (interval.low, interval.high) == pytest.approx((eight.low, eight.high))


def test_what_a_look_decides_stays_and_an_unfinished_look_is_not_taken():
    clear = normal(0, 8, 3.0)
    later = clear | {s: -50.0 for s in range(8, 16)}
    (said,) = decide([Effect("e", later)], Looks(8))
    assert said == ("supported", 8)
    open_ = normal(3, 8, 0.3)
    half = open_ | {s: 9.0 for s in range(8, 12)}
    assert decide([Effect("e", half)], Looks(8)) == decide([Effect("e", open_)], Looks(8))
    verdict = judge([Effect("e", normal(0, 16, 0.9))], looks=Looks(8))
    assert verdict.parts[0].decided_at in (8, 16)


@pytest.mark.parametrize("independent", [True, False])
@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_no_pair_without_variance_decides_a_contest(independent, noise):
    def row(values):
        return Scores(dict(enumerate(values)), Noise(plain=noise), independent=independent)

    rng = np.random.default_rng(0)
    ours = {"same": row([1.0] * 8), "free": row(0.99 + 0.001 * rng.normal(size=8))}
    theirs = {"same": row([2.0] * 8), "free": row(2.05 + 0.01 * rng.normal(size=8))}

    def judge_gap(one, other, **about):
        gap = compare_best(one, other, "lower")
        return judge([Effect("gap", gap.values, 0.995, contest=gap, **about)])

    pairs = [({"same": ours["same"]}, {"same": theirs["same"]})]
    # of seeds that share data the differences count, and those of rows of which one varies do
    pairs += [(ours, theirs)] if independent else []
    for one, other in pairs:
        verdict = judge_gap(one, other)
        assert (verdict.outcome, verdict.because) == ("inconclusive", ALIKE)
        assert (verdict.parts[0].alike, verdict.parts[0].needed) == (True, None)
        fine = judge_gap(one, other, resolution=0.0001)
        assert (fine.outcome, fine.parts[0].alike) == ("supported", False)
    free = judge_gap({"free": ours["free"]}, {"free": theirs["free"]})
    assert free.outcome == "supported"
    assert judge_gap(ours, {"free": theirs["free"]}).outcome == "supported", (
        "by the row that varies"
    )


def test_noise_and_rare_events_give_equal_values_no_interval():
    same = Scores(dict.fromkeys(range(8), 2.0), 0.01)
    assert judge([Effect("e", same, 1.0)]).because == ALIKE
    assert judge([Effect("e", same, 1.0, jump=0.1)]).because == ALIKE
    assert judge([Effect("e", same, 1.0, resolution=0.1)]).outcome == "supported"


def test_nothing_is_decided_before_all_planned_seeds_were_tried():
    effect = Effect("e", normal(0, 16, 3.0))
    for n in range(6, 16):
        part = keep_seeds(effect, range(n))
        verdict = judge([part], looks=Looks(16))
        assert (verdict.outcome, verdict.parts[0].decided_at) == ("inconclusive", None)
        assert verdict.because == f"{n} of 16 seeds so far, and nothing is decided before"
        assert says(verdict.parts[0]) == f"inconclusive: {n} of 16 seeds so far"
    assert judge([effect], looks=Looks(16)).outcome == "supported"


def test_seeds_without_a_value_were_tried_and_no_part_waits_for_another():
    values = normal(0, 32, 0.75)
    del values[15], values[31]
    whole = frozenset(range(32))
    part = Effect("e", values, tried=whole)
    assert decide([part], Looks(16)) == [("supported", 32)]
    first = Effect("f", normal(1, 16, 9.0), tried=whole - {7})
    assert decide([part, first], Looks(16)) == [("supported", 32), ("inconclusive", None)]
    verdict = judge([part, first], looks=Looks(16))
    assert verdict.because == "parts: 1 inconclusive, 1 supported; 15 of 16 seeds so far"


def test_every_seed_is_left_out_of_the_same_looks():
    effect = Effect("e", normal(0, 32, 0.75))
    assert decide([effect], Looks(16)) == [("supported", 32)]
    assert leave_one_out([effect], looks=Looks(16)) == dict.fromkeys(range(32), "supported")
    shorter = keep_seeds(effect, set(range(31)))
    assert judge([shorter], looks=Looks(16)).outcome == "inconclusive", "another look"


def test_adding_seeds_until_a_verdict_errs_as_rarely_as_declared():
    rng, repeats = np.random.default_rng(5), 250
    wrong = 0
    for row in rng.normal(size=(repeats, 64)):
        values = dict(enumerate(row.tolist()))
        wrong += decide([Effect("e", values)], Looks(8))[0][0] != "inconclusive"
    assert wrong / repeats <= ALPHA + 2 * math.sqrt(ALPHA * (1 - ALPHA) / repeats)


def test_six_against_five_is_decided_at_three_deviations():
    rng, repeats = np.random.default_rng(6), 60
    said = []
    for _ in range(repeats):
        rows = rng.normal(size=(11, 8))
        rows[0] += 3.0
        ours, theirs = (
            {str(k): dict(enumerate(rows[k].tolist())) for k in ks}
            for ks in (range(6), range(6, 11))
        )
        ours = {name: cells(row) for name, row in ours.items()}
        theirs = {name: cells(row) for name, row in theirs.items()}
        said.append(decide([contest(ours, theirs)], Looks(8))[0][0])
    assert said.count("supported") / repeats >= 0.9
    assert "refuted" not in said


def test_variances_lean_on_each_other_only_where_they_are_alike():
    alike = [summarise(normal(k)) for k in range(8)]
    moderated = moderate(alike)
    least, raised = (min(m.variance for m in rows) for rows in (alike, moderated))
    assert raised > 2 * least
    assert all(new.variance >= m.variance for m, new in zip(alike, moderated, strict=True))
    assert all(m.freedom > 7 for m in moderated)
    assert np.std([m.skewness for m in moderated]) < 0.5 * np.std([m.skewness for m in alike])
    apart = [summarise(normal(k, sd=100.0**k)) for k in range(6)]
    for before, after in zip(apart, moderate(apart), strict=True):
        assert after.variance == pytest.approx(before.variance, rel=0.1)
    assert moderate(alike[:3]) == alike[:3]


def test_rows_that_share_data_are_compared_pair_by_pair():
    base = normal(1, sd=10.0)
    better = {s: v + 1.0 + 0.1 * math.sin(s) for s, v in base.items()}
    assert outcome_of(contest({"a": better}, {"b": base})) == "supported"
    assert outcome_of(contest({"a": cells(better)}, {"b": cells(base)})) == "inconclusive"
    assert estimate(Effect("d", difference(cells(better), cells(base)))).method == "welch"
    assert estimate(Effect("d", difference(better, base))).method == "t"


def test_a_rare_event_that_was_not_seen_refutes_nothing():
    unseen = dict.fromkeys(range(8), 0.0)
    assert outcome_of(Effect("lost", unseen, 1.0, resolution=1.0)) == "refuted"
    assert outcome_of(Effect("lost", unseen, 1.0, resolution=1.0, jump=8.0)) == "inconclusive"
    many = dict.fromkeys(range(64), 0.0)
    assert outcome_of(Effect("lost", many, 1.0, resolution=1.0, jump=8.0)) == "refuted"
    assert (1 - unseen_chance(8)) ** 8 == pytest.approx(0.05)
    rng = np.random.default_rng(2)
    said = [
        outcome_of(Effect("lost", dict(enumerate(row)), 1.0, resolution=1.0, jump=8.0))
        for row in (8.0 * (rng.random((200, 8)) < 0.2)).tolist()
    ]
    assert said.count("refuted") / len(said) <= 0.05


@pytest.mark.parametrize("n", [6, 8, 16, 32, 64])
def test_outcomes_all_alike_are_no_surer_than_so_few_can_be(n):
    """The chance of a success lies above the exact bound, of which as many would come in 2.5 %."""
    whole = estimate(Effect("share", dict.fromkeys(range(n), 1.0), 0.5, resolution=1.0))
    exact = binomtest(n, n).proportion_ci(method="exact").low
    assert exact - 0.1 < whole.low < exact
    none = estimate(Effect("share", dict.fromkeys(range(n), 0.0), 0.5, resolution=1.0))
    assert none.high == pytest.approx(1 - whole.low)


def test_equal_values_say_nothing_without_a_resolution():
    same = dict.fromkeys(range(8), 2.0)
    verdict = judge([Effect("e", same, 1.0)])
    assert verdict.outcome == "inconclusive"
    assert "resolution" in verdict.because
    assert outcome_of(Effect("e", same, 1.0, exact=True)) == "supported"
    assert outcome_of(Effect("e", same, 1.0, resolution=1.0)) == "supported"


def test_failed_seeds_count_as_the_worst_that_was_measured():
    theirs = {"v": cells(normal(1, 16))}
    whole = normal(2, 16, 4.0)
    assert outcome_of(contest({"a": cells(whole)}, theirs)) == "supported"
    failing = {s: -math.inf if s % 4 else v for s, v in whole.items()}
    assert outcome_of(contest({"a": cells(failing)}, theirs)) != "supported"
    assert compare_best({"a": cells(failing)}, theirs, "higher").values[1] == -math.inf
    lower = log_ratio(cells({0: math.inf, 1: 1.0}), cells({0: 1.0, 1: 1.0}))
    assert lower == {0: math.inf, 1: 0.0}
    never = {"a": cells(dict.fromkeys(range(8), -math.inf)), "b": cells(normal(3, 8, 4.0))}
    assert compare_best(never, theirs, "higher").ours == "b"


NEVER = cells(dict.fromkeys(range(16), -math.inf))


def test_a_side_whose_seeds_all_failed_loses():
    other = cells(normal(1, 16))
    verdict = judge([contest({"a": NEVER}, {"v": other})])
    assert verdict.outcome == "refuted"
    worst = min(other.values())
    assert verdict.parts[0].estimate.mean == pytest.approx(
        worst - mean_interval([*other.values()]).mean
    )
    assert judge([contest({"a": other}, {"v": NEVER})]).outcome == "supported"
    apart = Effect("d", difference(NEVER, other))
    assert (outcome_of(apart), estimate(apart).n) == ("refuted", 16)
    shared = Effect("d", difference({**NEVER}, {**other}))
    assert outcome_of(shared) == "refuted"


@pytest.mark.parametrize("wrap", [cells, dict], ids=["apart", "sharing data"])
def test_where_all_seeds_of_both_sides_failed_the_verdict_says_so(wrap):
    for part in (
        contest({"a": wrap(NEVER)}, {"v": wrap(NEVER)}),
        Effect("d", difference(wrap(NEVER), wrap(NEVER))),
    ):
        verdict = judge([part])
        assert (verdict.outcome, verdict.because) == ("inconclusive", ALL_FAILED)
    verdict = judge([Effect("one row", wrap(NEVER))])
    assert (verdict.outcome, verdict.because) == ("inconclusive", ALL_FAILED)


def test_an_entrant_that_failed_throughout_does_not_say_how_much_others_vary():
    rows = {name: cells(normal(k, 16, 1.0)) for k, name in enumerate("abc")}
    theirs = {"v": cells(normal(9, 16))}
    with_it = contest(rows | {"never": NEVER}, theirs)
    without = summarise_sides(contest(rows, theirs), contest(rows, theirs).contest)[0]
    own = summarise_sides(with_it, with_it.contest)[0]
    assert {n: m for n, m in own.items() if n != "never"} == without
    assert own["never"].variance == 0.0


def test_noise_of_the_test_set_widens_what_is_between_models():
    rows = [normal(k, 32, mean) for k, mean in ((1, 1.0), (2, 0.0))]
    sharp, blurred = (
        difference(*(cells(row, Noise(plain=sd, log=9.0)) for row in rows)) for sd in (0.0, 2.0)
    )
    assert outcome_of(Effect("d", sharp)) == "supported"
    assert outcome_of(Effect("d", blurred)) == "inconclusive"
    assert count_needed_seeds(Effect("d", blurred), 0.05) is None
    own = mean_interval(list(rows[0].values()))
    wide = widen(own, 1.0)
    assert wide.half == pytest.approx(math.hypot(own.half, 1.96), rel=0.02)
    scores = {"a": normal(1, 8, 0.0), "b": normal(2, 8, 3.0)}
    assert make_ranking(scores, "lower").ends("a") == (1, 1)
    assert make_ranking(scores, "lower", lambda a, b: 5.0).ends("a") == (1, 2)
    assert make_ranking(scores, "lower", lambda a, b: 0.0) == make_ranking(scores, "lower")


#: of normal values, spread as they are and not skewed
SPREAD = np.array([-1.5, 1.5, -0.5, 0.5, -1.0, 1.0, -0.8, 0.8] * 4)
SPREAD /= SPREAD.std(ddof=1)


def rows_of(effect_of, means, draw):
    return effect_of([dict(enumerate((mean + draw()).tolist())) for mean in means])


def versus(rows):
    """The first row and half of the rest against the others."""
    half = len(rows) - len(rows) // 2
    ours, theirs = (
        {f"{k}": cells(row) for k, row in enumerate(side)} for side in (rows[:half], rows[half:])
    )
    return contest(ours, theirs)


@pytest.mark.parametrize(
    ("effect_of", "means", "most"),
    [
        (lambda rows: Effect("e", rows[0]), (0.8,), 0.88),
        (versus, (1.5, 0.0), 0.88),
        (versus, (1.5, *[0.0] * 10), 0.97),
    ],
)
def test_the_seeds_that_are_needed_decide_four_times_in_five(effect_of, means, most):
    """At the level of a first look, too; of several rivals, whose gaps share a row, rather more often."""
    rng, level = np.random.default_rng(8), Looks(8).level(0)
    for at in (0.95, level):
        planned = rows_of(effect_of, means, lambda: SPREAD)
        needed = count_needed_seeds(planned, 1 - at)
        assert needed is not None
        said = [
            outcome_of(rows_of(effect_of, means, lambda n=needed: rng.normal(size=n)), at)
            for _ in range(150)
        ]
        assert 0.72 <= said.count("supported") / len(said) <= most


def test_seeds_that_are_needed_have_a_least_and_need_not_exist():
    assert count_needed_seeds(Effect("e", normal(0), 0.5), 0.05) is not None
    at_bar = Effect("e", {0: 1.0, 1: -1.0}, 0.0)
    assert count_needed_seeds(at_bar, 0.05) is None
    assert count_needed_seeds(Effect("e", normal(0, 8, 50.0)), 0.05) == LEAST


@pytest.mark.parametrize("shape", ["skewed", "normal"])
def test_a_part_that_is_open_needs_more_seeds_than_it_has(shape):
    rng, looks, alone = np.random.default_rng(3), Looks(8), 0
    for bar in np.linspace(0.05, 2.0, 60):
        draws = rng.lognormal(sigma=0.8, size=8) if shape == "skewed" else rng.normal(size=8)
        effect = Effect("e", dict(enumerate(draws.tolist())), float(bar))
        part = judge([effect, *(Effect("o", normal(k)) for k in range(10))], looks=looks).parts[0]
        if part.outcome == "inconclusive":
            assert part.needed is None or part.needed > 8
            alone += judge([effect], looks=looks).parts[0].outcome != "inconclusive"
    assert alone > 0


def test_a_contest_needs_as_many_seeds_as_its_hardest_pair():
    theirs = {"near": cells(normal(3, 8, 2.0)), "far": cells(normal(4, 8, -9.0))}

    def count(*names):
        rows = {name: theirs[name] for name in names}
        return count_needed_seeds(contest({"a": cells(normal(1, 8, 3.0))}, rows), 0.05)

    near, both, far = count("near"), count("near", "far"), count("far")
    assert near is not None
    assert far is not None
    assert far < near
    assert both == near


def test_seeds_that_are_all_alike_need_a_resolution_and_not_more_seeds():
    alike = judge([Effect("n", dict.fromkeys(range(8), 0.0), 0.1, "below")])
    (part,) = alike.parts
    assert (part.outcome, part.alike, part.needed) == ("inconclusive", True, None)
    assert ALIKE in alike.because
    assert needed_text(part).endswith(ALIKE)
    told = judge([Effect("n", dict.fromkeys(range(8), 0.0), 0.1, "below", resolution=0.001)])
    assert (told.outcome, told.parts[0].alike) == ("supported", False)
    assert needed_text(told.parts[0]) == "to decide this part at 80 % needs ≈ 6 seeds"


def test_what_holds_by_definition_is_no_evidence_unless_it_is_broken():
    constructed = Effect("c", dict.fromkeys(range(8), 1.0), 0.5, by_definition=True)
    verdict = judge([constructed])
    assert (verdict.outcome, verdict.judged) == ("by definition", [])
    assert [part.outcome for part in verdict.by_definition] == ["by definition"]
    both = judge([constructed, Effect("e", normal(0, 8, 9.0))])
    assert (both.outcome, len(both.judged)) == ("supported", 1)
    broken = Effect("c", normal(0, 8, 0.0, 0.01), 0.5, by_definition=True)
    assert judge([broken]).outcome == "refuted"
