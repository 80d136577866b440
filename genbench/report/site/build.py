"""The report: a folder of pages that work from disk, offline, and the leaderboards beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from genbench.report import formats, reproduce, text
from genbench.report.findings import environment
from genbench.report.site import claim_page, templating
from genbench.report.site.folder import write_folder
from genbench.report.site.pages import compared, dataset_page, model_page, overview_page
from genbench.report.site.site import Book, book
from genbench.report.tables import Table, failures, leaderboards
from genbench.store import Store


def write_report(
    store: Store,
    out: Path,
    *,
    title: str = "genbench report",
    tables: Sequence[Table] | None = None,
    problems: Sequence[str] | None = None,
) -> Path:
    """Writes the pages and the leaderboards; returns the path of index.html.

    Pages lie side by side in one folder and ask for nothing outside it, so that they can be read
    from disk or from any static host. Pages of an earlier report that this one does not have are removed;
    what no report has written is left alone.

    Arguments:
        store: The results folder.
        out: The folder to write to; it is made if need be.
        title: The report's title.
        tables: The folder's leaderboards, where the caller has them; they are made otherwise.
        problems: With them, what was set aside.
    """
    if tables is None or problems is None:
        records, problems = store.load()
        tables = leaderboards(records)
    problems = [p.replace(str(store.root) + "/", "") for p in problems]
    made = contents(book(store, tables, problems, title))
    write_folder(Path(out), made)
    return Path(out) / "index.html"


def contents(made: Book) -> dict[str, bytes]:
    """Returns every file of the report by its name, with "/" between folders."""
    tables = made.tables
    found = {
        "leaderboard.md": text.markdown(tables, title=made.title).encode(),
        "leaderboard.csv": text.csv(tables).encode(),
        "leaderboard.json": formats.as_json(tables).encode(),
        "leaderboard.tex": formats.latex(tables).encode(),
        reproduce.FILE: reproduce.suite_file(tables).encode(),
    }
    frame = formats.parquet(tables)
    found |= {"leaderboard.parquet": frame} if frame is not None else {}
    claims = claim_page.files(made)
    found |= {name: claims[name] for name in claim_page.FILES if name in claims}
    found["index.html"] = overview_page(made, sorted(found))
    if tables:
        found["compare.html"] = compared(made)
        found["compare.js"] = templating.asset("compare.js").encode()
    found |= {chapter.page: dataset_page(made, chapter) for chapter in made.chapters}
    found |= {page: model_page(made, name) for name, page in made.models.items()}
    found |= claims
    found["failures.html"] = _failures(made)
    found["environment.html"] = _environment(made)
    found |= {
        name: templating.asset(name).encode() for name in ("style.css", "script.js", "plots.js")
    }
    found[templating.PLOTLY] = templating.plotly()
    return found | made.pictures


def _failures(made: Book) -> bytes:
    rows = failures(made.tables).to_dict("records")
    for row in rows:
        row["reason"] = str(row["reason"])[: templating.LONG]
    return templating.render(
        "failures.html",
        **made.frame("failures.html", "Failures"),
        failures=rows,
        problems=made.problems,
    )


def _environment(made: Book) -> bytes:
    return templating.render(
        "environment.html",
        **made.frame("environment.html", "Environment"),
        environment=environment(made.records),
        now=datetime.now(UTC).isoformat(timespec="seconds"),
        started=min((r.started for r in made.records if r.started), default=""),
        finished=made.finished,
    )
