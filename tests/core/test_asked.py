import pytest

from genbench.core.asked import require_counts, require_seconds
from genbench.core.errors import SpecError


@pytest.mark.parametrize("count", [0, -1, True, 2.5, "3", float("nan"), 10**30])
def test_what_counts_nothing_is_refused(count):
    """Rounds beyond any tensor's index were pydantic's own error."""
    with pytest.raises(SpecError, match="steps needs a whole number of 1 or more"):
        require_counts(steps=count)


def test_counts_may_have_an_end_of_their_own():
    require_counts(most=3, seeds=3, steps=None)
    with pytest.raises(
        SpecError, match="seeds needs a whole number of 1 or more and at most 3, got 4"
    ):
        require_counts(most=3, seeds=4)


@pytest.mark.parametrize("time", [-1, float("nan"), "3"])
def test_what_is_no_time_is_refused(time):
    with pytest.raises(SpecError, match="at_most needs seconds of 0 or more, got"):
        require_seconds(at_most=time)
