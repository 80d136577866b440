from pathlib import Path

import pytest

from genbench.core.claim import CLAIMS
from genbench.report.cards import make_cards
from genbench.report.claim_tables import update_readme
from genbench.running.evidence import Scale
from genbench.store import Store

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "docs/claims.md"])
def test_documents_show_the_verdicts(name, tmp_path):
    copy = tmp_path / "copy.md"
    copy.write_text((ROOT / name).read_text())
    built_in = [
        n for n, c in CLAIMS.all().items() if c.function.__module__.startswith("genbench.")
    ]
    made = make_cards(Store(ROOT / "results"), built_in, Scale())
    assert not update_readme(copy, made), (
        f"{name} is not current; run: genbench claims -o results --readme {name}"
    )
