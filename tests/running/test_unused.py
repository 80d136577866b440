"""What would go unused is refused from Python too."""

import pytest

from genbench import api
from genbench.core.errors import SpecError

TINY = {
    "description": "x",
    "models": ["gan"],
    "datasets": ["ring"],
    "metrics": ["mmd"],
    "seeds": 1,
}


@pytest.mark.parametrize(
    ("suite", "asked", "said"),
    [
        ("claims", {"steps": 3}, "takes no --steps, claims say it themselves; use --budget-scale"),
        (
            "claims",
            {"labelled": 10},
            "takes no --labelled, claims say it themselves; leave it out",
        ),
        ("claims", {"until_decided": True, "seeds": 8}, "takes no --seeds"),
        ("demo", {"claims": ["turns"]}, "--claim needs the suite claims, got 'demo'"),
        (None, {"budget_scale": "half"}, "--budget-scale needs the suite claims, got 'demo'"),
        (TINY, {"until_decided": True}, "needs the suite claims, got another"),
        (TINY, {"config": "mine.yaml"}, "config needs a suite's name, got a suite"),
    ],
)
def test_what_would_change_nothing_is_refused(tmp_path, suite, asked, said):
    with pytest.raises(SpecError, match=said):
        api.run(suite, results=tmp_path / "runs", **asked)
    assert not (tmp_path / "runs").exists()
