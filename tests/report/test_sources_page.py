"""What the sources name, beside what is here: nothing in the list is absent, nothing here is forgotten."""

import json
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from genbench.cli import VERBS, main
from genbench.core.errors import DataError, SpecError
from genbench.core.model import MODELS
from genbench.report import source_tables, sources
from genbench.report.leaderboard import load_leaderboard
from genbench.report.site.build import write_report
from genbench.report.source_tables import update_page
from genbench.report.sources import PluginReference, list_faults, list_unnamed, read_sources

ROOT = Path(__file__).parents[2]
#: what another branch brings, all at once
AWAITED = {
    *("acgan_steadiness", "convolutional_games", "discriminator_range", "half_accuracy_stop"),
    *("kl_direction", "likelihood_game", "mixing_growth", "perfect_discriminator"),
    *("table_augmentation", "turns", "mmd_gan_conv", "breast_cancer"),
}


def listed(here, **about):
    item = {"kind": "system", "name": "a thing", "here": here, **about}
    file = {"schema": 1, "about": "", "documents": {"paper": "a paper"}, "items": [item]}
    return sources.SourceFile.model_validate(file)


def test_whatever_the_list_names_is_here():
    known = {name for registry in sources.REGISTRIES.values() for name in registry.names()}
    absent = AWAITED - known
    assert absent in (AWAITED, set())
    faults = [f for f in list_faults(read_sources()) if not any(f"{n!r}" in f for n in absent)]
    assert faults == []


@pytest.mark.parametrize(
    ("here", "about", "fault"),
    [
        (["model:ganx"], {}, "unknown model"),
        (["claim:nash_oscilation"], {}, "did you mean 'nash-oscillation'"),
        (["suite:nowhere"], {}, "suite"),
        (["painter:monet"], {}, "painter"),
        (["model:gan(depth=3)"], {}, "no option 'depth'"),
        (["model:srgan(content=taste)"], {}, "content"),
        (["gan"], {}, "KIND:NAME"),
        ([], {}, "what is missing"),
        (["model:gan"], {"missing": "half of it"}, "both or neither"),
        (["model:gan"], {"said": ["book"]}, "book"),
        (["model:gan"], {"name": ""}, "needs a name"),
    ],
)
def test_a_row_that_is_wrong_is_told(here, about, fault):
    (told,) = list_faults(listed(here, **about))
    assert fault in told


def test_claims_may_be_named_with_hyphens():
    assert list(list_faults(listed(["claim:nash-oscillation", "claim:nash_oscillation"]))) == []


def test_a_plugin_that_disappears_is_told_and_the_page_goes_on(monkeypatch):
    file = listed(["model:gan"])
    assert list(list_faults(file)) == []
    monkeypatch.delitem(MODELS._modules, "gan")
    monkeypatch.setattr(MODELS, "_objects", {})
    assert len(list(list_faults(file))) == 1
    assert sources.answer_of(file.items[0]) == "model gan (not installed)"


def test_every_claim_and_every_model_has_its_row_or_stands_beyond_the_sources():
    unnamed = list_unnamed(read_sources())
    page = source_tables.to_page()
    words = set(re.findall(r"[\w\\-]+", page))
    for kind in ("model", "claim", "dataset", "metric"):
        for name, plugin in sources.REGISTRIES[kind].all().items():
            if not getattr(plugin, "function", plugin).__module__.startswith("genbench."):
                continue
            shown = (
                name.replace("_", "-") if kind == "claim" and name not in unnamed[kind] else name
            )
            assert shown.replace("_", "\\_") in words, (kind, name)
    # those that no source names, and that are here for a fair comparison
    assert {"wgan_gp", "iwae", "ddpm", "flow_matching", "pacgan"} <= set(unnamed["model"])
    assert "tuning_budget" in unnamed["claim"]


def test_every_claim_of_the_two_waves_is_in_the_list():
    claims = [item for item in read_sources().items if item.kind == "claim"]
    assert len(claims) == 50
    assert len({item.here for item in claims}) == 50


def test_commands_that_would_run_what_is_missing_exist(genbench):
    for item in read_sources().items:
        if not item.command:
            continue
        words = shlex.split(item.command)
        assert words[0] == "genbench"
        assert words[1] in VERBS, item.command
        help_text = genbench(words[1], "--help")[1]
        for flag in (word for word in words if word.startswith("-")):
            assert re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", help_text), item.command
        for flag, kind in (("-m", "model"), ("-d", "dataset")):
            plugin = words[words.index("--plugin") + 1] if "--plugin" in words else ""
            for name in (b for a, b in pairwise(words) if a == flag):
                assert name in sources.REGISTRIES[kind] or name == plugin.removesuffix(".py")


def test_the_page_of_the_repository_is_current(tmp_path):
    copy = tmp_path / "copy.md"
    copy.write_text((ROOT / "docs/sources.md").read_text())
    assert not update_page(copy), (
        "docs/sources.md is not current; run: genbench list sources --readme docs/sources.md"
    )


def test_the_list_is_printed_and_the_page_rewritten(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words):
        with pytest.raises(SystemExit) as end:
            main(list(words))
        return end.value.code, *capsys.readouterr()

    code, out, _ = call("list", "sources", "--json")
    rows = json.loads(out)
    assert code == 0
    assert len(rows) == len(read_sources().items)
    assert all(row["name"] and (row["here"] or row["missing"]) for row in rows)
    code, out, _ = call("list", "sources")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "RealNVP → model realnvp" in out
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- sources:begin -->\n<!-- sources:end -->\nb\n")
    assert call("list", "sources", "--readme", str(page))[0] == 0
    assert "## Questions" in page.read_text()
    assert call("list", "models", "--readme", str(page))[0] == 2
    page.write_text("no markers")
    with pytest.raises(DataError, match="sources:begin"):
        update_page(page)


def test_references_are_read():
    one = PluginReference.parse("dataset:edges(paired=False,coarse=4)")
    assert one.options == {"paired": False, "coarse": 4}
    assert one.label == "edges(paired=False, coarse=4)"
    assert PluginReference.parse("claim:kl_direction").label == "kl-direction"
    with pytest.raises(SpecError):
        PluginReference.parse("dataset:edges(paired)")


def test_the_report_has_the_page_with_links_that_lead_somewhere(store, tmp_path):
    page = write_report(load_leaderboard(store.root), tmp_path)
    index, text = page.read_text(), (tmp_path / "sources.html").read_text()
    assert '<a href="sources.html">Sources</a>' in index
    for item in read_sources().items:
        assert item.missing.replace("'", "&#39;") in text
    links = set(re.findall(r'<td class="words">.*?</td>', text, flags=re.DOTALL))
    hrefs = {href for cell in links for href in re.findall(r'href="([^"]+)"', cell)}
    assert hrefs
    assert all((tmp_path / href).exists() for href in hrefs)
