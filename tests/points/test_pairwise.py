"""Every pair is seen once, passes are shared, and no more than a block is held."""

import gc

import numpy
import pytest
import torch

from genbench.points import memmap, pairwise
from genbench.points.pairwise import Cloud, Look, clouds, tiles, together


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(params=[False, True], ids=["whole", "blocks"])
def small(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(pairwise, "BLOCK", 50)
        monkeypatch.setattr(pairwise, "STRIP", 16)
        monkeypatch.setattr(pairwise, "WHOLE", 0)


def collected(x, y):
    """All squared distances, each as often as its tile stands for it."""
    found, seen = torch.zeros(len(x), len(y), dtype=torch.float64), torch.zeros(len(x), len(y))
    for row, column, tile in tiles(x, y):
        place = (slice(row, row + tile.shape[0]), slice(column, column + tile.shape[1]))
        found[place], seen[place] = tile, seen[place] + 1
        if x is y and column > row:
            found[place[1], place[0]], seen[place[1], place[0]] = tile.T, seen[place].T
    assert (seen == 1).all()
    return found


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.int64])
def test_tiles_cover_all_pairs_once(small, kind):
    real, fake = clouds((9 * draws(130, 3)).to(kind), (9 * draws(77, 3, seed=1)).to(kind))
    for x, y in ((real, real), (real, fake), (fake, fake)):
        exact = torch.cdist(x.x.double(), y.x.double()).square()
        torch.testing.assert_close(collected(x, y), exact, rtol=1e-9, atol=1e-9)


def test_chosen_rows_are_a_cloud_of_their_own(small):
    real = Cloud(draws(60, 2))
    chosen = Cloud(real.x, real, torch.tensor([3, 59, 3]))
    exact = torch.cdist(real.x[[3, 59, 3]], real.x).square()
    torch.testing.assert_close(collected(chosen, real), exact, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(chosen.norms, (real.x - real.x.mean(0))[[3, 59, 3]].square().sum(1))


def looking(x, y, log, name, rounds=1):
    """Sums all pairs some times over."""
    total = 0.0

    def see(row, column, tile):
        nonlocal total
        total += float(tile.sum()) * (2 if x is y and column > row else 1)

    for k in range(rounds):
        log.append((name, k))
        yield [Look(x, y, see)]
    return total


def test_a_pass_serves_all_that_wait_for_it(monkeypatch):
    real, fake = clouds(draws(40, 2), draws(30, 2, seed=1))
    passes, whole = [], tiles

    def counted(x, y):
        passes.append((x is real, y is real))
        return whole(x, y)

    monkeypatch.setattr(pairwise, "tiles", counted)
    log = []
    asked = [(real, real, 2), (real, real, 1), (real, fake, 1), (real, real, 1)]
    steps = [looking(x, y, log, k, rounds) for k, (x, y, rounds) in enumerate(asked)]
    found = [value for value, _ in together(steps)]
    assert passes.count((True, True)) == 2
    assert passes.count((True, False)) == 1
    square = float(torch.cdist(real.x, real.x).square().sum())
    assert found[0] == pytest.approx(2 * square)
    assert found[1] == found[3] == pytest.approx(square)


def test_an_error_of_one_is_nobodys_number():
    def fails():
        raise ValueError("planted")
        yield []

    real = Cloud(draws(9, 2))
    with pytest.raises(ValueError, match="planted"):
        together([looking(real, real, [], 0), fails()])


def test_a_swept_function_is_called_with_tensors():
    @pairwise.pairwise
    def sum_of_squares(real, fake, *, times):
        total = yield from looking(real, fake, [], 0)
        return times * total

    x, y = draws(8, 2), draws(5, 2, seed=1)
    exact = 3 * float(torch.cdist(x, y).square().sum())
    assert sum_of_squares(x, y, times=3) == pytest.approx(exact)
    assert sum_of_squares.steps is not sum_of_squares


def test_a_mapped_file_is_read_by_parts_and_forgotten_with_its_tensor(tmp_path, monkeypatch):
    monkeypatch.setattr(memmap, "HELD", 400)
    monkeypatch.setattr(memmap, "_MAPS", {})
    held = draws(50, 3).float().numpy()
    numpy.save(tmp_path / "a.npy", held)
    x = memmap.to_memmap(numpy.lib.format.open_memmap(tmp_path / "a.npy", mode="c"))
    assert len(memmap._MAPS) == 1
    assert torch.equal(torch.cat(list(memmap.blocks(x[5:]))), torch.from_numpy(held[5:]).double())
    torch.testing.assert_close(memmap.mean(x), x.double().mean(0))
    order = torch.tensor([7, 1, 7])
    assert torch.equal(memmap.take(x, order), torch.from_numpy(held)[order].double())
    assert memmap.not_finite(x) == 0
    del x
    gc.collect()
    assert not memmap._MAPS
