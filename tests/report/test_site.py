import re
import shlex
from html.parser import HTMLParser

import pytest
from report_records import HOSTILE, record

from genbench.report.site import write_report
from genbench.report.tables import leaderboards
from genbench.store import Store


@pytest.fixture(scope="module")
def page(store, tmp_path_factory):
    return write_report(store, tmp_path_factory.mktemp("report"), title="A <b>title</b>")


@pytest.fixture(scope="module")
def html(page):
    return page.read_text()


class Outline(HTMLParser):
    """Counts elements, and collects ids and links."""

    def __init__(self):
        super().__init__()
        self.tags, self.ids, self.links, self.sources = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if "href" in attrs else []
        self.sources += [attrs["src"]] if "src" in attrs else []


def without_scripts(html):
    return re.sub(r"<script(?: type=\"[^\"]*\" id=\"data\")?>.*?</script>", "", html, flags=re.S)


def test_three_files_are_written(page):
    assert sorted(p.name for p in page.parent.iterdir()) == [
        "index.html",
        "leaderboard.csv",
        "leaderboard.md",
    ]
    assert page.stat().st_size < 15e6


def test_the_page_stands_alone(html):
    outline = Outline()
    outline.feed(html)
    assert outline.tags.count("script") == 3
    assert all(link.startswith(("#", "data:")) for link in outline.links)
    assert all(source.startswith("data:image/png") for source in outline.sources)
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)
    assert "default-src 'none'" in html


def test_hostile_text_is_escaped_everywhere(html):
    assert HOSTILE not in html
    assert "&lt;script&gt;window.hacked" in html
    assert "\\u003cscript\\u003ewindow.hacked" in html
    assert "A &lt;b&gt;title&lt;/b&gt;" in html


def test_every_dataset_has_its_leaderboard_with_protocols_and_floor(html):
    body = without_scripts(html)
    for name in ("ring", "grid", "digits"):
        assert f'aria-label="Leaderboard of {name}"' in body
    assert "classifier:digits@1, n=500/500 · test" in body
    assert body.count("real vs real") == 3
    assert 'class="tag">reference' in body


def test_failures_are_rows_with_their_reasons(html):
    failures = html[html.index('id="failures"') : html.index('id="environment"')]
    assert failures.count('class="tag skipped"') == 8
    assert failures.count('class="tag diverged"') == 1
    assert "pixelcnn needs images, got (2,)" in failures


def test_numbers_can_be_made_again(html):
    command = "genbench run -m wgan_gp -d ring --seeds 8 --steps 4000"
    assert f"<code>{shlex.join(command.split())}</code>" in html


def test_numbers_in_the_page_are_those_of_the_tables(store, html):
    for table in leaderboards(store.records()):
        for group in table.groups:
            for column in table.columns:
                if table.cell(group, column).values:
                    assert table.cell(group, column).text in html


def test_files_that_are_no_records_are_named(tmp_path):
    store = Store(tmp_path / "results")
    store.write(record(store, "gan", "ring", 0))
    (store.root / "ring" / "gan" / "broken.json").write_text("{")
    html = write_report(store, tmp_path / "out").read_text()
    assert "Not read: ring/gan/broken.json is not a record" in html
    assert str(tmp_path) not in html


def test_an_empty_store_makes_a_page_that_says_so(empty, tmp_path):
    html = write_report(empty, tmp_path).read_text()
    assert "There are no records yet" in html
    assert len(html) < 100_000
