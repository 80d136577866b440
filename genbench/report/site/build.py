"""The report: a folder of pages that work from disk, offline, and the leaderboards beside them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from genbench.report import formats, reproduce
from genbench.report.findings import count_environments
from genbench.report.leaderboard import Leaderboard
from genbench.report.site import (
    claim_page,
    fairness_page,
    sources_page,
    templating,
    tuning_page,
)
from genbench.report.site.folder import write_folder
from genbench.report.site.pages import (
    make_comparison_page,
    make_dataset_page,
    make_model_page,
    make_overview_page,
)
from genbench.report.site.site import Site, make_site
from genbench.report.tables import list_failures


def write_report(
    board: Leaderboard, out: Path | str = "report", *, title: str = "genbench report"
) -> Path:
    """Writes the pages and the leaderboards; returns the path of index.html.

    Pages lie side by side in one folder and ask for nothing outside it, so that they can be read
    from disk or from any static host. Pages of an earlier report that this one does not have are removed;
    files that no report has written are left alone.

    Arguments:
        board: What `genbench.leaderboard` read of a results folder.
        out: The folder to write to; it is made if need be.
        title: The report's title.
    """
    problems = [p.replace(str(board.store.root) + "/", "") for p in board.problems]
    site = make_site(board.store, board.tables, problems, title, Path(out))
    write_folder(Path(out), make_files(site))
    return Path(out) / "index.html"


def make_files(site: Site) -> dict[str, bytes]:
    """Returns every file of the report by its name, with "/" between folders."""
    tables = site.tables
    files = {
        "leaderboard.md": formats.to_markdown(tables, title=site.title).encode(),
        "leaderboard.csv": formats.to_csv(tables).encode(),
        "leaderboard.json": formats.to_json(tables).encode(),
        "leaderboard.tex": formats.to_latex(tables).encode(),
        reproduce.FILE: reproduce.make_suite_file(tables).encode(),
    }
    parquet = formats.to_parquet(tables)
    files |= {"leaderboard.parquet": parquet} if parquet is not None else {}
    claims = claim_page.make_files(site)
    files |= {name: claims[name] for name in claim_page.FILES if name in claims}
    files["index.html"] = make_overview_page(site, sorted(files))
    if tables:
        files["compare.html"] = make_comparison_page(site)
        files["compare.js"] = templating.read_asset("compare.js").encode()
    files |= {page.file: make_dataset_page(site, page) for page in site.pages}
    files |= {file: make_model_page(site, name) for name, file in site.models.items()}
    files |= claims | tuning_page.make_files(site) | fairness_page.make_files(site)
    files |= sources_page.make_files(site)
    files["failures.html"] = _failures(site)
    files["environment.html"] = _environment(site)
    files |= {
        name: templating.read_asset(name).encode()
        for name in ("style.css", "claims.css", "script.js", "plots.js")
    }
    files[templating.PLOTLY] = templating.read_plotly()
    return files | site.pictures


def _failures(site: Site) -> bytes:
    rows = list_failures(site.tables).to_dict("records")
    for row in rows:
        row["reason"] = str(row["reason"])[: templating.LONG]
    return templating.render(
        "failures.html",
        **site.header("failures.html", "Failures"),
        failures=rows,
        problems=site.problems,
    )


def _environment(site: Site) -> bytes:
    return templating.render(
        "environment.html",
        **site.header("environment.html", "Environment"),
        environment=count_environments(site.records),
        now=datetime.now(UTC).isoformat(timespec="seconds"),
        started=min((r.started for r in site.records if r.started), default=""),
        finished=site.finished,
    )
