import pytest
import torch

from genbench.core.errors import ContractError, DataError
from genbench.core.guard import ChangedInput, blamed, checksum, join_rows, ran_out, unchanged


def plugin():
    """Stands for a user's function: its module is not genbench's."""


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.sub_(x.mean(0)),
        lambda x: x[0].zero_(),
        lambda x: x.view(-1).mul_(2),
        lambda x: x.data.add_(1),
        lambda x: x.numpy().__setitem__(slice(None), 0),
        lambda x: x.detach().clamp_(0, 1),
    ],
)
def test_whatever_way_a_plugin_writes_into_its_input_it_is_named(write):
    x = torch.randn(9000, 3)
    says = r"metric 'mine' needs to leave .* shape \(9000, 3\)"
    guard = unchanged("metric 'mine'", [None, x], code=plugin)
    with pytest.raises(ChangedInput, match=says), guard:
        write(x)


def test_what_is_only_read_passes():
    x = torch.randn(9000, 3)
    with unchanged("metric 'mine'", [x], code=plugin):
        (x - x.mean(0)).square_().sum()


def test_a_plugin_that_raises_after_it_wrote_is_named_too():
    x = torch.zeros(5000, 3)

    def refuse():
        with unchanged("metric 'mine'", [x], code=plugin):
            x.add_(1)
            raise DataError("I refuse these points")

    with pytest.raises(ChangedInput):
        refuse()


def test_small_inputs_are_mended():
    centres = torch.arange(8.0).view(4, 2)
    with pytest.raises(ChangedInput), unchanged("metric 'mine'", [centres], code=plugin):
        centres.zero_()
    assert torch.equal(centres, torch.arange(8.0).view(4, 2))


def test_a_checksum_sees_one_bit_anywhere():
    x = torch.randn(300, 7, dtype=torch.float64)
    before = checksum(x)
    assert checksum(x.clone()) == before
    for row, column in ((0, 0), (150, 3), (299, 6)):
        y = x.clone()
        y.view(torch.int64)[row, column] ^= 1
        assert checksum(y) != before


def test_rows_are_copied_before_the_next_are_asked_for():
    buffer = torch.empty(2, 3, 1)

    def parts():
        for k in range(3):
            yield buffer.fill_(k)

    whole = join_rows(parts(), 9, "model 'mine'")
    assert whole[0, :, 0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("shapes", [[(2, 3, 1)], [(2, 5, 1)], [(2, 2, 1), (2, 2, 2)], [(4,)], []])
def test_another_number_of_rows_is_refused(shapes):
    with pytest.raises(ContractError, match="model 'mine' needs to return as many points"):
        join_rows(map(torch.zeros, shapes), 4, "model 'mine'")


def test_what_a_plugin_raises_becomes_a_sentence_with_its_line():
    with (
        pytest.raises(
            ContractError, match=r"data set 'x' failed: KeyError: 'k' at .*test_guard.py:\d+"
        ),
        blamed("data set 'x'", plugin),
    ):
        raise KeyError("k")
    with pytest.raises(ContractError, match="SystemExit: 0"), blamed("data set 'x'", plugin):
        raise SystemExit(0)


@pytest.mark.parametrize(
    "error", [MemoryError(), DataError("mine"), RuntimeError("can't allocate memory: you")]
)
def test_errors_of_memory_and_of_genbench_stay_what_they_are(error):
    with pytest.raises(type(error)), blamed("data set 'x'", plugin):
        raise error
    assert ran_out(error) != isinstance(error, DataError)
