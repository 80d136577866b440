import torch

from genbench.core.rng import Rng
from genbench.nn.recurrent import GRUCell


def reference(cell, k):
    """Torch's layer with the weights of seed k."""
    layer = torch.nn.GRU(cell.input.weight.shape[1], cell.units, batch_first=True).double()
    with torch.no_grad():
        layer.weight_ih_l0.copy_(cell.input.weight[k].T)
        layer.weight_hh_l0.copy_(cell.state.weight[k].T)
        layer.bias_ih_l0.copy_(cell.input.bias[k, 0])
        layer.bias_hh_l0.copy_(cell.state.bias[k, 0])
    return layer


def test_states_and_gradients_are_those_of_torchs_layer():
    torch.manual_seed(0)  # torch's layer draws weights, which are replaced
    rng = Rng([0, 1], dtype=torch.float64)
    cell = GRUCell(3, 5, rng.fork("cell"))
    x = rng.normal(4, 7, 3)
    states = cell.run(x)
    assert states.shape == (2, 4, 7, 5)
    states.square().sum().backward()
    for k in (0, 1):
        layer = reference(cell, k)
        expected, last = layer(x[k])
        torch.testing.assert_close(states[k], expected)
        expected.square().sum().backward()
        torch.testing.assert_close(cell.state.weight.grad[k], layer.weight_hh_l0.grad.T)
        torch.testing.assert_close(cell.input.weight.grad[k], layer.weight_ih_l0.grad.T)
        torch.testing.assert_close(states[k, :, -1], last[0])


def test_one_step_at_a_time_is_the_whole_run():
    rng = Rng([0, 1, 2])
    cell = GRUCell(2, 4, rng.fork("cell"))
    x = rng.normal(5, 6, 2)
    h = cell.start(5)
    assert h.shape == (3, 5, 4)
    for place, state in enumerate(cell.run(x).unbind(2)):
        h = cell(x[:, :, place], h)
        torch.testing.assert_close(h, state)
