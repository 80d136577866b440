import itertools
import math

import networkx
import numpy as np
import pytest
from paired import paired_difference
from scipy import stats

from genbench.report.text import rank_text
from genbench.statistics.contests import summarise
from genbench.statistics.intervals import holm
from genbench.statistics.ranking import Ranking, make_ranking, pairwise

RNG = np.random.default_rng(3)


def by_seed(values):
    return dict(enumerate(values))


def ends(found):
    return {name: found.ends(name) for name in found.order}


def test_all_pairs_have_the_p_of_the_paired_test():
    rows = [by_seed(RNG.normal(size=9)) for _ in range(4)]
    rows[1].pop(3)
    rows[2][5] = float("inf")
    rows += [by_seed([8.0] * 9), by_seed([7.0] * 9), by_seed([1.0] * 3), by_seed([8.0] * 9)]
    rows.append(by_seed([1e300 * k for k in range(1, 10)]))
    first, second, p, _ = pairwise(rows)
    expected = [paired_difference(rows[i], rows[j]).p for i, j in zip(first, second, strict=True)]
    assert p == pytest.approx([1.0 if value is None else value for value in expected])
    assert len(p) == 36
    assert 1.0 in set(p)


ALIKE = {"a": by_seed([8.0] * 8), "b": by_seed([7.999999] * 8), "c": by_seed([8.0 + 2e-15] * 8)}


def test_alike_seeds_of_an_unknown_resolution_tell_nothing():
    assert ends(make_ranking(ALIKE, "lower")) == dict.fromkeys("bac", (1, 3))
    dust = {name: {s: v + 2e-15 * (s % 3) for s, v in row.items()} for name, row in ALIKE.items()}
    assert ends(make_ranking(dust, "lower")) == dict.fromkeys("bac", (1, 3))


def test_alike_seeds_tell_steps_of_the_measure_s_resolution_and_nothing_finer():
    counts = {"a": by_seed([8.0] * 8), "b": by_seed([3.0] * 8)} | {"c": by_seed([7.99] * 8)}
    found = ends(make_ranking(counts, "higher", resolution=1.0))
    assert found == {"a": (1, 2), "c": (1, 2), "b": (3, 3)}
    first, _, p, _ = pairwise([counts["a"], counts["b"]], 1.0)
    t = 5.0 / math.sqrt(summarise(counts["a"], 1.0).variance / 8)
    assert (len(first), p[0]) == (1, pytest.approx(2 * stats.t.sf(t, 7)))


def test_an_interval_of_the_judge_and_a_rank_have_the_same_floor():
    row = by_seed([8.0] * 8)
    below = by_seed([7.7] * 8)
    floor = summarise(row, 1.0).variance
    rare = 1 - 0.025 ** (1 / 8)
    assert floor == pytest.approx(rare * (1 - rare))
    assert pairwise([row, below], 1.0)[2][0] == pytest.approx(
        2 * stats.t.sf(0.3 / math.sqrt(floor / 8), 7)
    )
    apart = by_seed([8.0 + 1e-3 * k for k in range(8)])
    assert summarise(apart, 1.0).variance == pytest.approx(1 / 12)
    p = pairwise([apart, below], 1.0)[2][0]
    assert p == pytest.approx(2 * stats.t.sf(0.3035 / math.sqrt(1 / 12 / 8), 7), rel=1e-3)


def test_ranks_separate_planted_gaps_and_leave_the_rest_open():
    noise = RNG.normal(size=(4, 10)) * 0.1
    scores = {
        "b": by_seed(1.0 + noise[0]),
        "c": by_seed(3.0 + noise[1]),
        "a": by_seed(1.0 + noise[2]),
        "d": by_seed(5.0 + noise[3]),
    }
    assert ends(make_ranking(scores, "lower")) == {
        "a": (1, 2),
        "b": (1, 2),
        "c": (3, 3),
        "d": (4, 4),
    }
    assert ends(make_ranking(scores, "higher")) == {
        "d": (1, 1),
        "c": (2, 2),
        "a": (3, 4),
        "b": (3, 4),
    }


def test_who_is_better_is_what_the_paired_test_and_holm_say():
    table = {str(i): by_seed(i * 0.9 + 0.7 * RNG.normal(size=8)) for i in range(6)}
    pairs = list(itertools.combinations(table, 2))
    p = [paired_difference(table[a], table[b]).p or 0.0 for a, b in pairs]
    apart = {pair for pair, value in zip(pairs, holm(p), strict=True) if value < 0.05}
    found = make_ranking(table, "lower")
    assert {tuple(sorted((a, b))) for b in table for a in found.above[b]} == apart
    assert 0 < len(apart) < len(pairs)


@pytest.mark.parametrize("mean", [0.0, 50.0])
def test_a_row_of_huge_spread_moves_no_other_rank(mean):
    scores = {str(k): by_seed(k + 0.01 * RNG.normal(size=8)) for k in range(5)}
    before = ends(make_ranking(scores, "lower"))
    assert before == {str(k): (k + 1, k + 1) for k in range(5)}
    wild = by_seed(mean + 1000.0 * np.array([1, -1, 1, -1, 1, -1, 1, -1]))
    found = ends(make_ranking({**scores, "wild": wild}, "lower"))
    assert found["wild"] == (1, 6)
    assert {name: found[name] for name in scores} == {str(k): (k + 1, k + 2) for k in range(5)}


def test_few_seeds_tell_nothing_apart():
    scores = {"a": by_seed([1.0, 1.1, 1.2]), "b": by_seed([9.0, 9.1, 9.2]), "c": {}}
    assert ends(make_ranking(scores, "lower")) == {"a": (1, 2), "b": (1, 2)}
    assert make_ranking({}, "lower").order == ()


def test_equal_models_are_rarely_told_apart():
    """In at most about 5 % of tables any rank is wrong, though all pairs are looked at."""
    tables = np.random.default_rng(0).normal(size=(150, 10, 8))
    wrong = [
        any(
            make_ranking(
                {str(i): by_seed(row) for i, row in enumerate(table)}, "lower"
            ).above.values()
        )
        for table in tables
    ]
    assert np.mean(wrong) <= 0.07


def test_a_skewed_row_is_rarely_told_from_a_tight_one_of_the_same_mean():
    rng, wrong = np.random.default_rng(4), 0
    for _ in range(400):
        wide = by_seed(rng.exponential(size=8) - 1)
        found = make_ranking({"wide": wide, "tight": by_seed(0.1 * rng.normal(size=8))}, "lower")
        wrong += any(found.above.values())
    assert wrong / 400 <= 0.07


def test_huge_scores_are_ranked():
    scores = {k: by_seed(1e300 * (1 + k + 0.01 * RNG.normal(size=8))) for k in range(3)}
    scores = {str(k): row for k, row in scores.items()} | {"small": by_seed(RNG.normal(size=8))}
    assert ends(make_ranking(scores, "lower"))["small"] == (1, 1)
    assert make_ranking(scores, "lower", lambda a, b: 0.0).order == ("small", "0", "1", "2")


def test_groups_are_the_maximal_cliques_of_what_is_alike():
    for _ in range(20):
        names = [str(i) for i in range(7)]
        pairs = [p for p in itertools.combinations(names, 2) if RNG.random() < 0.5]
        above = {n: frozenset(a for a, b in pairs if b == n) for n in names}
        graph = networkx.Graph()
        graph.add_nodes_from(names)
        graph.add_edges_from(p for p in itertools.combinations(names, 2) if p not in pairs)
        expected = {frozenset(c) for c in networkx.find_cliques(graph) if len(c) > 1}
        found = Ranking(tuple(names), above).cliques()
        assert {frozenset(c) for c in found} == expected
        assert found == sorted(found)


def test_groups_that_nobody_could_read_are_not_made():
    names = [str(i) for i in range(40)]
    above = {n: frozenset([str(i - 1)] if (i := int(n)) % 2 else []) for n in names}
    assert Ranking(tuple(names), above).cliques() is None


def test_ranks_as_text():
    assert [rank_text(*pair) for pair in ((None, None), (2, 2), (1, 4))] == ["", "#2", "#1–4"]
