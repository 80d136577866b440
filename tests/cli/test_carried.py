"""Commands in what is printed name the plugins that were given, each its own and once."""

import pytest

from genbench.cli.carried import carry_plugins
from genbench.cli.run_text import next_command
from genbench.core import registry


@pytest.fixture(autouse=True)
def named(monkeypatch):
    monkeypatch.setattr(registry, "_named", dict.fromkeys(["my model.py"]))


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("type: genbench run demo", "type: genbench run --plugin 'my model.py' demo"),
        ("genbench run x --plugin y.py; more", "genbench run x --plugin y.py; more"),
        (
            "genbench tune -m a, then genbench tune --accept --plugin y.py",
            "genbench tune --plugin 'my model.py' -m a, then genbench tune --accept --plugin y.py",
        ),
        ("genbench check --to x", "genbench check --to x"),
    ],
)
def test_every_command_has_the_plugins_and_none_has_them_twice(text, carried):
    assert carry_plugins(text) == carried
    assert carry_plugins(carried) == carried


def test_what_comes_next_can_be_typed(tmp_path):
    words = ["a-claim", *registry.list_plugin_words()]
    text = next_command(words, tmp_path / "r 1")
    assert text == f"verdicts: genbench claims a-claim --plugin 'my model.py' -o '{tmp_path}/r 1'"
