import pytest
import torch

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.models.autoregressive._row_lstm import RowLSTM, lstm
from genbench.training.trainer import Trainer

F64 = {"dtype": torch.float64}
BITS = DataSpec("bits", (1, 5, 6), kind="binary", range=(0.0, 1.0))
GREYS = DataSpec("greys", (1, 4, 5), range=(0.0, 1.0), levels=7)


def test_a_row_is_the_papers_written_out():
    """One pixel in row 1: gates from the input at it and to its left and from three states above."""
    layer = RowLSTM(2, Rng([0], **F64))
    x = Rng([1], **F64).normal(1, 2, 4, 2)
    with torch.no_grad():
        result = layer(x)[0, 0, 1, 2]
        kernel, state = layer.input_to_state.conv.weight[0, :, :, 0], layer.state_to_state
        above = torch.zeros(4, 2, **F64), torch.zeros(4, 2, **F64)
        for row in x[0, 0]:
            wide = torch.cat([torch.zeros(1, 2, **F64), above[0], torch.zeros(1, 2, **F64)])
            left = torch.cat([torch.zeros(1, 2, **F64), row])
            gates = torch.stack(
                [
                    kernel[..., 0] @ left[j]
                    + kernel[..., 1] @ left[j + 1]
                    + wide[j : j + 3].flatten() @ state.weight[0]
                    + state.bias[0, 0]
                    for j in range(4)
                ]
            )
            above = lstm(gates, above[1])
        expected = x[0, 0, 1, 2] + above[0][2] @ layer.out.weight[0] + layer.out.bias[0, 0]
    torch.testing.assert_close(result, expected)


def test_a_cell_is_torchs():
    cell = torch.nn.LSTMCell(3, 4, dtype=torch.float64)
    x, h, c = Rng([0], **F64).normal(3)[0], *Rng([1], **F64).normal(2, 4)[0]
    enter, forget, content, output = (
        cell.weight_ih @ x + cell.bias_ih + cell.weight_hh @ h + cell.bias_hh
    ).chunk(4)
    expected = cell(x.unsqueeze(0), (h.unsqueeze(0), c.unsqueeze(0)))
    state, memory = lstm(torch.cat([output, forget, enter, content]), c)
    torch.testing.assert_close((state, memory), (expected[0][0], expected[1][0]))


def test_a_pixel_sees_a_triangle_of_those_before_it_alone():
    model = build("pixelrnn", BITS, Rng([0], **F64), {"channels": 6, "recurrent": 1, "first": 3})
    y = Rng([1], **F64).normal(30)[0]
    seen = torch.autograd.functional.jacobian(
        lambda row: model.network(row.view(1, 1, 30, 1))[0, 0, :, 0], y
    ).abs()
    assert torch.equal(seen.triu(), torch.zeros(30, 30, **F64))
    last = seen[29].view(5, 6)
    assert (last[0, 1:] > 0).all()  # five rows up the state saw to both sides
    assert (last[3, 2:] > 0).all()
    assert (last[3, :2] == 0).all()  # near, the triangle is narrow


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("spec", [BITS, GREYS])
def test_the_cache_draws_the_same_points_bit_for_bit(spec, dtype):
    rng = Rng([0, 1], dtype=dtype)
    model = build("pixelrnn", spec, rng, {"channels": 6, "recurrent": 2})
    assert torch.equal(
        model.sample(24, rng.fork("sample")), model.sample_naive(24, rng.fork("sample"))
    )


def test_samples_follow_the_density_that_was_learnt():
    """Pearson's test over the 14 patterns and the rest of the 512 images."""
    source, rng = DATASETS.get("bars_and_stripes")(size=3), Rng([0])
    model = build("pixelrnn", source.spec, rng, {"channels": 8, "head": 16, "dropout": 0.0})
    Trainer(model, source, Budget(steps=250), batch=64, rng=rng).run()
    with torch.no_grad():
        p = model.log_prob(source.patterns.unsqueeze(0), rng)[0].double().exp()
        fake = model.sample(4000, rng.fork("sample"))[0]
    count = (fake.flatten(1).unsqueeze(1) == source.patterns.flatten(1)).all(-1).sum(0)
    share = torch.cat([p, 1 - p.sum(0, keepdim=True)]) * 4000
    count = torch.cat([count, 4000 - count.sum(0, keepdim=True)])
    assert -p.log().mean() < source.truth.entropy + 0.5
    assert ((count - share).square() / share).sum() < 29.14  # 99 % of chi-square with 14 degrees


def test_impossible_data_and_options_say_so():
    refuses = type(build("pixelrnn", BITS, Rng([0]))).refuses
    assert "one channel" in refuses(DataSpec("colours", (3, 8, 8), range=(0.0, 1.0), levels=256))
    with pytest.raises(SpecError, match="'recurrent' needs a whole number of 1 or more, got 0"):
        build("pixelrnn", BITS, Rng([0]), {"recurrent": 0})
    with pytest.raises(SpecError, match="pixelrnn needs an odd kernel, got first=4"):
        build("pixelrnn", BITS, Rng([0]), {"first": 4})
