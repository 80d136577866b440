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
        f"† the machine was loaded: {table.groups[0].label} – load average 3.2 on 2 cores" in text
    )
    assert r"\textdagger{}" in to_latex(tables)
    assert "†" not in to_markdown(make_leaderboards([plain]), title="t")


def test_a_footnote_names_together_what_was_measured_alike(tmp_path):
    store, records = Store(tmp_path), []
    for model, load in (("gan", 3), ("vae", 2), ("wgan_gp", 3), ("pixelcnn", None)):
        one = record(store, model, "ring", 0, with_samples=False)
        note = f"the machine was loaded: load average {load}" if load else None
        rows = [m.model_copy(update={"note": note}) for m in one.metrics]
        records.append(one.model_copy(update={"metrics": rows}))
    (table,) = make_leaderboards(records)
    (line,) = table.footnotes
    assert line.startswith("† the machine was loaded: ")
    groups = line.removeprefix("† the machine was loaded: ").split("; ")
    assert sorted(groups) == ["vae – load average 2", "wgan_gp, gan – load average 3"]
