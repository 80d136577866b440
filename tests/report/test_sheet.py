"""One sheet in every format: what each shows, and that nothing in a text is taken for markup."""

import csv
import io

import pytest
from report_records import HOSTILE
from rich.console import Console

from genbench.report import sheet
from genbench.report.sheet import Entry, Heading, Sheet

SHEET = Sheet(
    [Heading("model"), Heading("fid ↓", "n=10", "right"), Heading("note", width=0.2)],
    [
        [Entry("gan"), Entry("1.0 ± 0.1", "best", " #1"), Entry("a | b")],
        [Entry("real", "aside", " (reference)"), Entry("–"), Entry(HOSTILE)],
    ],
    foot=[Entry("floor", "aside"), Entry("0.2", "faint")],
    title="ring",
    notes=["fid: n=10", "more"],
)


def test_markdown():
    lines = sheet.to_markdown(SHEET)
    assert lines[:3] == [
        "| model | fid ↓<br>n=10 | note |",
        "| --- | --- | --- |",
        "| gan | **1.0 ± 0.1** #1 | a \\| b |",
    ]
    assert lines[3].startswith("| *real* (reference) | – | &lt;script&gt;")
    assert lines[4] == "| *floor* | 0.2 |  |"


def test_latex():
    text = "\n".join(sheet.to_latex(SHEET))
    assert r"\caption{ring. fid: n=10; more.}" in text
    assert r"\begin{tabular}{lrp{0.2\textwidth}}" in text
    assert "\\midrule\ngan & \\textbf{1.0 $\\pm$ 0.1} \\#1 & a | b \\\\" in text
    assert r"real (reference) & -- & \textless{}script" in text
    assert text.count(r"\midrule") == 2
    assert text.isascii()


def test_html():
    text = sheet.to_html(SHEET)
    assert "<caption>ring. fid: n=10 more</caption>" in text
    assert '<td style="text-align: right"><strong>1.0 ± 0.1</strong> #1</td>' in text
    assert "<em>real</em> (reference)" in text
    assert HOSTILE not in text


def test_csv_and_frames_hold_values():
    values = Sheet.of_values(["a", "b", "c"], [[1, 0.1 + 0.2, 'x, "y"'], [True, None, "z\n"]])
    rows = list(csv.reader(io.StringIO(sheet.to_csv(values))))
    assert rows == [["a", "b", "c"], ["1", "0.30000000000000004", 'x, "y"'], ["True", "", "z\n"]]
    frame = sheet.to_frame(values)
    assert list(frame.columns) == ["a", "b", "c"]
    assert frame.b[0] == 0.1 + 0.2


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("width", [70, 200])
def test_a_terminal(fold, width):
    out = io.StringIO()
    sheet.print_sheet(Console(file=out, width=width), SHEET, fold=fold)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert "real (reference)" in text
    if width == 200:
        assert "1.0 ± 0.1 #1" in text
        assert HOSTILE in text
        assert text.count("model") == 1
    elif not fold:
        assert text.count("model") == 2, "columns that do not fit stand in a further block"


def test_a_terminal_breaks_no_word_of_a_name_that_nearly_fits():
    rows = [[Entry("pacgan (discriminator_lr=0.0001, latent=256)"), Entry("1")]]
    rows += [[Entry("x" * 90), Entry("2")]]

    def print_rows(count):
        out = io.StringIO()
        sheet.print_sheet(
            Console(file=out, width=80), Sheet([Heading("model"), Heading("fid")], rows[:count])
        )
        return out.getvalue()

    assert "(discriminator_lr=0.0001," in print_rows(1)
    assert max(map(len, print_rows(2).splitlines())) < 40, "one long word does not fill the line"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("[1] [12]", "[1] [12]"),
        ("mean [95 %]", "mean [95 %]"),
        ("[x](http://y)", "\\[x\\](http://y)"),
        ("[1](http://y)", "\\[1\\](http://y)"),
        ("digits@1", "digits@1"),
        ("see @all", "see &#64;all"),
        ("a_b *c* `d` ~e~ \\ <f> & |", "a\\_b \\*c\\* \\`d\\` \\~e\\~ \\\\ &lt;f&gt; &amp; \\|"),
    ],
)
def test_text_in_markdown_is_text(text, safe):
    assert sheet.markdown_text(text) == safe


def test_columns_that_tell_rows_apart_stand_in_every_block():
    rows = [[Entry(text) for text in ("vae", name, "1" * 30, "2" * 30)] for name in ("fid", "nll")]
    heads = [Heading(head) for head in ("model", "by", "validation", "test")]
    out = io.StringIO()
    sheet.print_sheet(Console(file=out, width=60), Sheet(heads, rows), keys=2)
    lines = [line for line in out.getvalue().splitlines() if "vae" in line]
    assert len(lines) == 4
    assert sum("nll" in line for line in lines) == 2
    assert max(map(len, out.getvalue().splitlines())) <= 60


def test_a_column_is_no_wider_than_asked():
    row = [Entry("x"), Entry("inconclusive on digits so far"), Entry("a sentence " * 9)]
    heads = [Heading(head) for head in ("claim", "verdict", "sentence")]
    out = io.StringIO()
    sheet.print_sheet(
        Console(file=out, width=80), Sheet(heads, [row]), fold=True, widest={"verdict": 15}
    )
    assert "\u2502 inconclusive on \u2502" in out.getvalue()
