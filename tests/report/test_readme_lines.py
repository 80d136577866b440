"""Markdown files keep the ends of their lines, and have each pair of markers once."""

import pytest
from held_cells import held_file

from genbench.core.errors import DataError, WriteError
from genbench.report.readme import update
from genbench.store import locks

BODY = {"x": lambda: "| a |\n| b |\n", "absent": lambda: "never"}


def test_line_ends_are_kept(tmp_path):
    path = tmp_path / "README.md"
    path.write_bytes(b"head\r\n<!-- x:begin -->\r\nold\r\n<!-- x:end -->\r\ntail\r\n")
    assert update(path, BODY)
    whole = b"head\r\n<!-- x:begin -->\r\n| a |\r\n| b |\r\n<!-- x:end -->\r\ntail\r\n"
    assert path.read_bytes() == whole
    assert not update(path, BODY)
    path.write_bytes(whole.replace(b"\r\n", b"\n"))
    assert not update(path, BODY)


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("{b}\nold\n{e}\n{b}\nolder\n{e}\n", "2 and 2"),
        ("say {b} in prose\nkeep this\n{b}\nold\n{e}\n", "2 and 1"),
        ("{b}\nkeep this\n", "1 and 0"),
        ("{e}\nkeep this\n{b}\n", "1 and 1 the other way round"),
    ],
)
def test_markers_that_stand_twice_or_by_halves_are_refused(tmp_path, text, got):
    path = tmp_path / "README.md"
    path.write_text(text.format(b="<!-- x:begin -->", e="<!-- x:end -->"))
    held = path.read_bytes()
    with pytest.raises(DataError, match=f"needs <!-- x:begin --> once .*, got {got}; leave"):
        update(path, BODY)
    assert path.read_bytes() == held


def test_two_tables_that_are_written_at_once_both_stand(tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text("".join(f"<!-- {name}:begin -->\n<!-- {name}:end -->\n" for name in "xy"))

    def make():  # while which another command writes its table
        update(path, {"y": lambda: "| y |\n"})
        return "| x |\n"

    assert update(path, {"x": make})
    text = path.read_text()
    assert ("| x |" in text, "| y |" in text) == (True, True)
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    with held_file(path):
        assert not update(path, {"x": lambda: "| x |\n"})
        with pytest.raises(WriteError, match="another process has had it in hand"):
            update(path, {"x": lambda: "| z |\n"})
