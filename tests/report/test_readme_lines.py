"""A Markdown file whose lines end as Windows ends them keeps them."""

from genbench.report.readme import update

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
