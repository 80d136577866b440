import math

import pytest
import torch

from genbench.core.rng import Rng
from genbench.nn.boltzmann import BernoulliBoltzmann, GaussianBoltzmann, LogZ, LogZEstimator

MACHINES = 40


def strong(kind, seeds, scale=0.5):
    """Machines far from their base rates, each of its own couplings and biases."""
    rng = Rng(range(seeds))
    machine = kind(8, 10, rng, scale=scale)
    with torch.no_grad():
        machine.hidden_bias.copy_(rng.fork("hidden").normal(1, 10))
        machine.visible_bias.copy_(0.5 * rng.fork("visible").normal(1, 8))
    return machine, rng


@pytest.mark.parametrize("kind", [BernoulliBoltzmann, GaussianBoltzmann])
def test_the_enumerated_log_z_lies_in_the_annealed_interval_as_often_as_it_says(kind):
    """Of 40 intervals of 95 %, 33 or more hold the truth but with probability 0.0003."""
    machine, rng = strong(kind, MACHINES, scale=0.5 if kind is BernoulliBoltzmann else 0.25)
    truth = machine.enumerated_log_z()
    actual = machine.annealed_log_z(rng.fork("ais"), chains=100, temperatures=200)
    assert actual.value.shape == actual.error.shape == (MACHINES,)
    assert ((actual.error > 0) & (actual.error < 0.2)).all()
    low, high = actual.interval()
    assert ((low <= truth) & (truth <= high)).sum() >= 33
    # and the intervals are not so wide that they would always hold it
    low, high = actual.interval(0.1)
    assert ((low <= truth) & (truth <= high)).sum() <= 16


def test_an_interval_is_that_of_the_normaliser_itself():
    low, high = LogZ(torch.tensor([2.0, 2.0]), torch.tensor([0.1, 0.6])).interval(2.0)
    z = math.exp(2)
    assert low[0].item() == pytest.approx(math.log(z - 0.2 * z))
    assert high.tolist() == pytest.approx([math.log(1.2 * z), math.log(2.2 * z)])
    assert low[1] == -math.inf


def test_a_normaliser_is_kept_until_the_weights_or_the_seeds_change():
    machine, rng = strong(BernoulliBoltzmann, 2)
    log_z = LogZEstimator(machine, exact=False, chains=20, temperatures=20)
    first = log_z(rng)
    assert log_z(rng.fork("elsewhere")) is first
    other = log_z(Rng([7, 8]))
    assert not torch.equal(other.value, first.value)
    assert torch.equal(log_z(rng).value, first.value)
    with torch.no_grad():
        machine.weight[0, 0, 0] += 1.0
    assert log_z(rng).value[0] != first.value[0]


def test_a_summed_normaliser_has_no_error():
    machine, rng = strong(BernoulliBoltzmann, 2)
    actual = LogZEstimator(machine, exact=True, chains=1, temperatures=1)(rng)
    assert actual.error.tolist() == [0.0, 0.0]
    assert torch.equal(actual.interval()[0], actual.value)
    assert torch.equal(actual.value, machine.enumerated_log_z())


def test_a_chain_moves_free_entries_alone():
    machine, rng = strong(BernoulliBoltzmann, 2)
    v = machine.base(50, rng.fork("start"))
    free = rng.fork("free").uniform(50, 8) < 0.5
    moved = machine.chain(v, 10, rng.fork("chain"), free=free)
    assert torch.equal(moved[~free], v[~free])
    assert (moved != v)[free].double().mean() > 0.2
    assert torch.equal(machine.chain(v, 1, Rng([0, 1])), machine.gibbs(v, Rng([0, 1])))
