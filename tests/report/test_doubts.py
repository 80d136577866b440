"""Numbers that something casts doubt on are marked, and a footnote says why."""

from report_records import record

from genbench.report.formats import to_latex, to_markdown
from genbench.report.tables import make_leaderboards
from genbench.store import Store


def test_tables_mark_the_numbers_and_say_why(tmp_path):
    store = Store(tmp_path)
    plain, loaded = (record(store, "gan", "ring", seed, with_samples=False) for seed in (0, 1))
    note = "the machine was loaded: load average 3.2 on 2 cores"
    rows = [m.model_copy(update={"note": note}) if m.unit == "ms" else m for m in loaded.metrics]
    tables = make_leaderboards([plain, loaded.model_copy(update={"metrics": rows})])
    (table,) = tables
    marked = {c.id for c in table.columns if "†" in table.cell(table.groups[0], c).text}
    assert marked == {m.id for m in rows if m.unit == "ms"} != set()
    text = to_markdown(tables, title="t")
    assert (
        f"† {table.groups[0].label}: the machine was loaded: load average 3.2 on 2 cores" in text
    )
    assert r"\textdagger{}" in to_latex(tables)
    assert "†" not in to_markdown(make_leaderboards([plain]), title="t")
