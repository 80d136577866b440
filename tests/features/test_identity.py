"""The identity extractor."""

import pytest
import torch

from genbench.core.errors import DataError
from genbench.core.feature import EXTRACTORS


def test_flattens_and_changes_nothing_else():
    found = EXTRACTORS.get("identity")()
    x = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(found.extract(x), x.view(4, 6))
    assert found.extract(torch.arange(4).view(2, 2)).dtype == torch.float32
    assert found.protocol == "identity"


def test_a_list_of_numbers_is_refused():
    with pytest.raises(DataError, match=r"identity needs points of shape \(N, ...\), got \(5,\)"):
        EXTRACTORS.get("identity")().extract(torch.zeros(5))
