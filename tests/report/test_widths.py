"""What fits a terminal: at 80 and 120 columns no line is longer, and nothing is cut silently."""

import re

import pytest

from genbench.cli import main
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS, columns
from genbench.core.model import MODELS


@pytest.fixture
def printed(capsys, monkeypatch):
    """Runs a command on a terminal of a width; returns what it printed."""

    def printed(width, *args):
        monkeypatch.setenv("COLUMNS", str(width))
        with pytest.raises(SystemExit) as end:
            main([str(arg) for arg in args])
        out = capsys.readouterr().out
        assert end.value.code in (0, None), args
        return out

    return printed


def whole_words(text):
    """The text without what breaks lines: borders, and words that go on in the next line."""
    return re.sub(r"[\s│┃|]+", "", text)


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("models", MODELS.names),
        ("datasets", DATASETS.names),
        ("metrics", lambda: [*METRICS.names(), *columns()]),
        ("extractors", EXTRACTORS.names),
        ("claims", lambda: [claim.id for claim in CLAIMS.all().values()]),
    ],
)
def test_lists_fit_and_say_what_they_leave_out(printed, width, kind, names):
    out = printed(width, "list", kind)
    assert max(map(len, out.splitlines())) <= width
    assert "…" not in out
    for name in names():
        assert name in whole_words(out), name
    assert ("left out:" in out) == (width < 120 or kind in ("datasets", "metrics"))
    wide = printed(width, "list", kind, "--wide")
    assert "left out:" not in wide
    assert "paper" in wide or "Goodfellow" in wide or kind == "extractors"


def test_the_list_of_metrics_is_a_few_screens_and_names_every_column(printed):
    assert len(printed(80, "list", "metrics").splitlines()) < 120
    table = printed(80, "list", "metrics", "--format", "csv")
    assert len(table.splitlines()) == 1 + len(columns())
    assert printed(80, "list", "metrics", "--format", "markdown").startswith("| name | metric |")


@pytest.mark.parametrize("width", [80, 120])
def test_leaderboards_and_reports_have_ranks_and_break_no_number(printed, store, tmp_path, width):
    for verb in (["leaderboard"], ["report", "--to", tmp_path / "page"])[: 1 + (width == 80)]:
        out = printed(width, *verb, "-o", store.root)
        table = out.split("\n!")[0]
        assert max(map(len, table.splitlines())) <= width
        assert "#2–3" in table
        assert "…" not in table
    assert "…" not in printed(width, "leaderboard", "-o", store.root, "--wide")


def test_leaderboards_have_other_formats_and_can_be_of_one_data_set(printed, store):
    assert "### digits" in printed(80, "leaderboard", "-o", store.root, "--format", "markdown")
    csv = printed(80, "leaderboard", "-o", store.root, "--format", "csv", "-d", "ring")
    assert csv.startswith("dataset,model,")
    assert {line.split(",")[0] for line in csv.splitlines()[1:]} == {"ring"}


@pytest.mark.parametrize("width", [80, 120])
def test_claims_have_their_sentence_at_every_width(printed, tmp_path, monkeypatch, width):
    monkeypatch.chdir(tmp_path)
    out = printed(width, "claims")
    assert max(map(len, out.splitlines())) <= width
    for claim in CLAIMS.all().values():
        assert claim.id in whole_words(out)
    gan = CLAIMS.get("sampling_speed").statement.split()
    assert all(word in whole_words(out) for word in gan)
    assert ("left out:" in out) is True
    assert printed(80, "claims", "--format", "csv").startswith("id,verdict")


def test_a_word_of_a_claim_is_whole_at_80_columns_though_its_verdict_is_long(
    printed, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert "convolution\u2013deconvolution" in printed(80, "claims")


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"]])
def test_help_fits_80_columns_and_breaks_no_name(printed, words):
    out = printed(80, *words)
    assert max(map(len, out.splitlines())) <= 80
    assert "suites or sources" in " ".join(out.split()), "the kinds are named in words"
