import torch
from torch import nn

from genbench.core.rng import Rng
from genbench.models.adversarial._noisy import NoisyMLP, NormMLP


def test_normalised_layers_have_units_of_the_length_of_their_scale():
    net = NoisyMLP(6, 3, (5,), Rng([0, 1])).eval()
    x = torch.eye(6).expand(2, -1, -1)
    weight = net._layer(0, x) - net._layer(0, torch.zeros(2, 6, 6))
    torch.testing.assert_close(weight.norm(dim=1), torch.ones(2, 5))
    with torch.no_grad():
        net.scales[0].mul_(3.0)
    torch.testing.assert_close(net._layer(0, x).norm(dim=1), 3 * torch.ones(2, 5))


def test_noise_is_added_in_training_alone():
    net = NoisyMLP(6, 3, (5,), Rng([0, 1]), noise=(0.3, 0.5))
    x, rng = Rng([0, 1]).normal(4, 6), Rng([2, 3])
    outs = [net(x, rng)[0] for _ in range(2)]
    assert (outs[0] != outs[1]).any()
    net.eval()
    assert torch.equal(net(x, rng)[0], net(x, rng)[0])
    assert net(x, rng)[1].shape == (2, 4, 5)


def test_plain_layers_are_those_of_a_perceptron():
    net = NoisyMLP(6, 3, (5,), Rng([0]), normalised=False, noise=(0.0, 0.0))
    first, last = net.layers
    x = Rng([4]).normal(7, 6)
    expected = torch.relu(x @ first.weight + first.bias) @ last.weight + last.bias
    torch.testing.assert_close(net(x, Rng([0]))[0], expected)
    assert not net.scales


def test_the_generators_hidden_layers_are_normalised():
    net = NormMLP(4, 2, (9,), Rng([0, 1]))
    seen = []
    net.norms[0].register_forward_hook(lambda module, given, out: seen.append(out))
    assert net(5 + Rng([0, 1]).normal(64, 4)).shape == (2, 64, 2)
    torch.testing.assert_close(seen[0].mean(1), torch.zeros(2, 9), atol=1e-5, rtol=0)
    assert isinstance(net, nn.Module)
