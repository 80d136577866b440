"""Sheets: tables of words and numbers before they have a format, and one writer per format."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape as html_escape
from typing import TYPE_CHECKING, Any, Literal

from genbench.store.frame import quote_formula

if TYPE_CHECKING:
    import pandas
    from rich.console import Console
    from rich.text import Text

Emphasis = Literal["", "best", "aside", "bad", "lost", "good", "doubtful", "faint"]
#: which emphasis Markdown, LaTeX, HTML and a terminal show, and how
MARKDOWN: dict[str, str] = {"best": "**", "bad": "**", "aside": "*"}
HTML: dict[str, str] = {"best": "strong", "bad": "strong", "aside": "em"}
TERMINAL: dict[str, str] = {
    **{"best": "bold green", "good": "green", "bad": "bold red", "lost": "red"},
    **{"doubtful": "yellow", "faint": "dim", "aside": "italic dim"},
}
LATEX_SIGNS = {
    **{sign: "\\" + sign for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "→": r"$\to$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "–": "--",
    "·": r"$\cdot$",
    "†": r"\textdagger{}",
    "≥": r"$\geq$",
    "×": r"$\times$",
}
#: how wide the first column of a terminal's table may be
NAME_WIDTH = 24


@dataclass(frozen=True)
class Entry:
    """One place of a sheet.

    Arguments:
        text: The words.
        emphasis: Whether they are the best of their column, stand aside from the others, and so on.
        after: Words that follow without emphasis, with their own space or punctuation before them.
        value: What CSV and frames hold in place of the text.
    """

    text: str = ""
    emphasis: Emphasis = ""
    after: str = ""
    value: Any = None

    @property
    def words(self) -> str:
        """The whole, without emphasis."""
        return f"{self.text}{self.after}"


@dataclass(frozen=True)
class Heading:
    """The head of a column.

    Arguments:
        text: The heading.
        about: What stands below it.
        align: Where the column's entries stand.
        width: The column's share of the page's width in LaTeX; None: as wide as its entries.
    """

    text: str
    about: str = ""
    align: Literal["left", "right"] = "left"
    width: float | None = None


@dataclass(frozen=True)
class Sheet:
    """A table.

    Arguments:
        heads: A head per column.
        rows: Entries per row.
        foot: The last row, set apart; a row that is too short has empty places at its end.
        title: What the table is of.
        notes: Sentences below it.
    """

    heads: Sequence[Heading]
    rows: Sequence[Sequence[Entry]]
    foot: Sequence[Entry] = ()
    title: str = ""
    notes: Sequence[str] = ()

    @classmethod
    def of_values(cls, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> Sheet:
        """Returns the sheet of plain values, for CSV and frames."""
        entries = [[Entry(value=value) for value in row] for row in rows]
        return cls([Heading(head) for head in heads], entries)

    @property
    def lines(self) -> list[list[Entry]]:
        """The rows with the foot, all as long as the heads."""
        every = [*self.rows, *([self.foot] if self.foot else [])]
        return [[*row, *[Entry()] * (len(self.heads) - len(row))] for row in every]


def to_markdown(sheet: Sheet) -> list[str]:
    """Returns the lines of a Markdown table; title and notes are the caller's."""
    heads = [
        f"{markdown_text(h.text)}<br>{markdown_text(h.about)}"
        if h.about
        else markdown_text(h.text)
        for h in sheet.heads
    ]
    rows = [[_markdown_entry(entry) for entry in row] for row in sheet.lines]
    return [_markdown_line(row) for row in (heads, ["---"] * len(heads), *rows)]


def to_markdown_text(sheet: Sheet) -> str:
    """Returns a Markdown table as a text that ends with a line."""
    return "\n".join(to_markdown(sheet)) + "\n"


def markdown_text(text: str) -> str:
    """Returns text that Markdown shows as it is: no tags, mentions, table cells or markup."""
    if re.fullmatch(r"(\w+ )?(\[\d+( %)?\] ?)+", text):
        return text  # marks such as [1], which are not links by themselves
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, safe)
    text = re.sub(r"(?<!\w)@", "&#64;", text)
    return re.sub(r"([\\|*`\[\]_~])", r"\\\1", text)


def _markdown_entry(entry: Entry) -> str:
    mark = MARKDOWN.get(entry.emphasis, "") if entry.text else ""
    return f"{mark}{markdown_text(entry.text)}{mark}{markdown_text(entry.after)}"


def _markdown_line(values: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(value.split()) for value in values) + " |"


def to_latex(sheet: Sheet) -> list[str]:
    r"""Returns the lines of a booktabs table, title and notes as its caption."""
    notes = "; ".join(sheet.notes)
    caption = f"{sheet.title}. {notes}".rstrip(". ") + "."
    last = [r"\midrule", _latex_line(sheet.foot)] if sheet.foot else []
    return [
        r"\begin{table}",
        rf"\caption{{{latex_text(caption)}}}",
        rf"\begin{{tabular}}{{{''.join(map(_latex_column, sheet.heads))}}}",
        r"\toprule",
        _latex_line([Entry(head.text) for head in sheet.heads]),
        r"\midrule",
        *map(_latex_line, sheet.rows),
        *last,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def latex_text(text: str) -> str:
    """Returns text that LaTeX prints as it is, on one line."""
    return "".join(LATEX_SIGNS.get(sign, sign) for sign in re.sub(r"\s+", " ", text))


def _latex_column(head: Heading) -> str:
    if head.width is not None:
        return rf"p{{{head.width:g}\textwidth}}"
    return head.align[0]


def _latex_line(row: Sequence[Entry]) -> str:
    cells = []
    for entry in row:
        text = latex_text(entry.text)
        text = rf"\textbf{{{text}}}" if entry.emphasis == "best" else text
        cells.append(f"{text}{latex_text(entry.after)}".strip())
    return " & ".join(cells) + r" \\"


def to_csv(sheet: Sheet) -> str:
    """Returns values as CSV; None is an empty field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([quote_formula(head.text) for head in sheet.heads])
    writer.writerows([quote_formula(entry.value) for entry in row] for row in sheet.rows)
    return buffer.getvalue()


def to_frame(sheet: Sheet) -> pandas.DataFrame:
    """Returns values as a frame."""
    import pandas

    rows = [[entry.value for entry in row] for row in sheet.rows]
    return pandas.DataFrame(rows, columns=[head.text for head in sheet.heads])


def to_html(sheet: Sheet) -> str:
    """Returns an HTML table, title and notes as its caption."""
    caption = " ".join((f"{sheet.title}.", *sheet.notes)) if sheet.title else ""
    heads = "".join(
        f"<th>{html_escape(h.text)}{f'<br><small>{html_escape(h.about)}</small>' if h.about else ''}</th>"
        for h in sheet.heads
    )
    rows = "\n".join(
        f"<tr>{''.join(map(_html_entry, row, sheet.heads))}</tr>" for row in sheet.lines
    )
    return (
        f"<table>\n<caption>{html_escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _html_entry(entry: Entry, head: Heading) -> str:
    tag, text = HTML.get(entry.emphasis), html_escape(entry.text)
    text = f"<{tag}>{text}</{tag}>" if tag and text else text
    return f'<td style="text-align: {head.align}">{text}{html_escape(entry.after)}</td>'


def print_sheet(
    console: Console,
    sheet: Sheet,
    *,
    fold: bool = False,
    names: int = NAME_WIDTH,
    keys: int = 1,
    widest: Mapping[str, int] | None = None,
) -> None:
    """Prints a table to a terminal; title and notes are the caller's.

    Arguments:
        console: Where to print.
        sheet: The table.
        fold: Break entries to fit the width; without it, columns that do not fit stand in further
            blocks below, each with the first columns.
        names: The widest that the first column becomes before it is broken, and as wide as it stays whatever
            the others need; a little wider where a single word needs it.
        keys: How many columns tell rows apart, and so stand in every block, each broken as the first is.
        widest: How wide columns become before they are broken, by their heads.
    """
    from rich.table import Table

    columns = [list(column) for column in zip(*_terminal_lines(sheet), strict=True)]
    widths = [_name_width(sheet, i, names) for i in range(keys)]
    places = range(keys, len(columns))
    room = console.width - sum(width + 3 for width in widths) - 1
    for block in [places] if fold else _blocks(columns, places, room):
        grid = Table(show_footer=bool(sheet.foot))
        shown = (*range(keys), *block)
        for place in shown:
            head, is_key = sheet.heads[place], place < keys
            most = widths[place] if is_key else (widest or {}).get(head.text)
            grid.add_column(
                columns[place][0],
                footer=columns[place][-1] if sheet.foot else "",
                justify=head.align,
                overflow="fold" if fold or is_key else "ellipsis",
                no_wrap=not fold and not is_key,
                width=most if is_key and fold else None,
                max_width=most,
            )
        for i in range(1, 1 + len(sheet.rows)):
            grid.add_row(*(columns[place][i] for place in shown))
        console.print(grid)


def _name_width(sheet: Sheet, place: int, most: int) -> int:
    """How wide a column of names is: a little more than the most where a single word needs it."""
    entries = [*(row[place].words for row in sheet.lines), sheet.heads[place].text]
    longest = max(
        (len(word) for row in sheet.lines for word in row[place].words.split()), default=0
    )
    most = max(most, longest) if longest <= most * 4 // 3 else most
    return min(most, max(map(len, entries)))


def _terminal_lines(sheet: Sheet) -> list[list[Text]]:
    from rich.text import Text

    lines = [
        [Text(entry.words, style=TERMINAL.get(entry.emphasis, "")) for entry in row]
        for row in sheet.lines
    ]
    return [[Text(head.text) for head in sheet.heads], *lines]


def _blocks(
    columns: Sequence[list[Text]], places: Iterable[int], room: int
) -> Iterator[list[int]]:
    """Packs as many columns side by side as there is room for."""
    block: list[int] = []
    rest = room
    for place in places:
        needs = max(len(text) for text in columns[place]) + 3
        if block and needs > rest:
            yield block
            block, rest = [], room
        block.append(place)
        rest -= needs
    yield block
