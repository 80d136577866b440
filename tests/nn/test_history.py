"""Pools of points made earlier."""

import torch

from genbench.core.rng import Rng
from genbench.nn.history import History


def numbered(first, count):
    return torch.arange(first, first + count, dtype=torch.float32).view(1, -1, 1)


def test_half_of_the_points_are_older_ones_and_none_is_lost():
    pool, rng = History(50, (1,), Rng([0])), Rng([0])
    seen = pool.mix(numbered(0, 60), rng)
    assert torch.equal(seen, numbered(0, 60))
    older, count = 0, 0
    for k in range(1, 200):
        fresh = numbered(60 * k, 60)
        before = pool.points.flatten().tolist()
        shown = pool.mix(fresh, rng)
        old = (shown < 60 * k).flatten()
        older, count = older + int(old.sum()), count + 50
        assert not old[50:].any()
        # what was shown left the pool, and fresh ones that were not shown took its place
        after = set(pool.points.flatten().tolist())
        assert set(shown.flatten()[old].tolist()) <= set(before)
        assert after == (set(before) - set(shown.flatten()[old].tolist())) | set(
            fresh.flatten()[old].tolist()
        )
    assert abs(older / count - 0.5) < 0.02


def test_a_pool_larger_than_a_minibatch_is_filled_by_it_and_seeds_are_apart():
    pool, rng = History(7, (2,), Rng([0, 1])), Rng([0, 1])
    fresh = torch.randn(2, 3, 2)
    assert torch.equal(pool.mix(fresh, rng), fresh)
    assert torch.equal(pool.points[:, :6], torch.cat([fresh, fresh], 1))
    alone = History(7, (2,), Rng([1]))
    one = Rng([1])
    alone.mix(fresh[1:], one)
    again = torch.randn(2, 3, 2)
    assert torch.equal(pool.mix(again, rng)[1:], alone.mix(again[1:], one))
    assert not list(pool.parameters())
