from pathlib import Path

from genbench.core.claim import CLAIMS
from genbench.report.cards import cards
from genbench.report.claim_tables import into_readme
from genbench.running.evidence import Scale
from genbench.store import Store

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_the_verdicts(tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text((ROOT / "README.md").read_text())
    built_in = [
        n for n, c in CLAIMS.all().items() if c.function.__module__.startswith("genbench.")
    ]
    made = cards(Store(ROOT / "results"), built_in, Scale())
    assert not into_readme(copy, made), (
        "README.md is not current; run: genbench claims -o results --readme README.md"
    )
