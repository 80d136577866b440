import math

import torch

from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.output import centred, uncentred
from genbench.nn.timed import TimedMLP, waves


def test_waves_are_sines_and_cosines_of_every_coordinate():
    x = torch.tensor([[0.3, -1.2]])
    actual = waves(x, torch.tensor([1.0, 4.0]))
    expected = [f(k * v) for f in (math.sin, math.cos) for v in (0.3, -1.2) for k in (1, 4)]
    assert torch.allclose(actual, torch.tensor([expected]))


def test_a_seed_alone_and_a_shared_time_give_the_same():
    stack = TimedMLP(2, (16,), Rng([3, 5], dtype=torch.float64), frequencies=4)
    alone = TimedMLP(2, (16,), Rng([5], dtype=torch.float64), frequencies=4)
    x = Rng([0, 1], dtype=torch.float64).normal(6, 2)
    each = stack(x, torch.full((2, 6, 1), 0.4).double())
    assert torch.allclose(each[1:], alone(x[1:], torch.full((1, 1), 0.4).double()))
    assert not torch.allclose(each, stack(x, torch.full((1, 1), 0.5).double()))


def test_what_the_perceptron_holds_back_is_passed_on():
    network = TimedMLP(3, (4,), Rng([0, 1], dtype=torch.float64))
    x, t = Rng([0, 1], dtype=torch.float64).normal(6, 3), torch.full((1, 1), 0.3).double()
    with torch.no_grad():
        for p in network.network.parameters():
            p.zero_()
    share = network.pass_on(waves(t, network.rates).expand(2, 1, -1))
    assert torch.allclose(network(x, t), share * x)


def test_uncentred_undoes_centred_and_stays_in_the_range():
    spec = DataSpec("x", (3,), range=(2.0, 6.0))
    x = torch.tensor([2.0, 3.5, 6.0])
    assert torch.equal(uncentred(centred(x, spec), spec), x)
    assert uncentred(torch.tensor([-3.0, 3.0]), spec).tolist() == [2.0, 6.0]
    assert torch.equal(uncentred(x, DataSpec("y", (3,))), x)
