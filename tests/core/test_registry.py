import re

import pytest

from genbench.contracts.check import find_plugins
from genbench.core.dataset import DATASETS
from genbench.core.errors import ContractError, SpecError, UnknownName
from genbench.core.model import MODELS
from genbench.core.registry import (
    Registry,
    list_brought,
    list_registered,
    load_plugin,
    registrar,
)

PLUGIN = """
import torch
from genbench import Model, model

@model("{name}")
class Mine(Model):
    taxonomy = "reference"
    def players(self): return ()
    def sample(self, n, rng): return rng.normal(n, *self.spec.event)
"""
pytestmark = pytest.mark.usefixtures("registered")


def thing(module, name="f"):
    made = type(name, (), {})
    made.__module__, made.__qualname__ = module, name
    return made


def test_what_is_added_is_found_and_listed():
    registry = Registry("thing", "genbench.nowhere")
    made = thing("here")
    assert registrar(registry, "b", object, {})(made) is made
    assert made.name == "b"
    registry.add("a", thing("here", "g"))
    assert list(registry) == registry.names() == ["a", "b"]
    assert registry.get("b") is made
    assert "b" in registry
    assert "c" not in registry


def test_a_duplicate_is_refused_with_both_homes():
    registry = Registry("thing", "genbench.nowhere")
    first = registry.add("a", thing("one"))
    with pytest.raises(ContractError, match=r"'a' is registered twice, by one\.f and by two\.f"):
        registry.add("a", thing("two"))
    assert registry.get("a") is first


def test_the_same_plugin_may_be_imported_again():
    registry = Registry("thing", "genbench.nowhere")
    registry.add("a", thing("one"))
    again = registry.add("a", thing("one"))
    assert registry.get("a") is again


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(
        UnknownName, match=r"^unknown data set 'rign'; did you mean 'ring'\? \(one of your own"
    ):
        DATASETS.get("rign")
    with pytest.raises(UnknownName, match=r"allowed: .*binary_digits"):
        DATASETS.get("zzzzzzz")


def test_names_are_file_names_and_every_file_registers_its_own():
    for registry in (MODELS, DATASETS):
        for name, entry in registry.all().items():
            assert entry.name == name
            if name in registry._modules:
                assert registry._modules[name].split(".")[-1] == name


def test_a_file_that_registers_another_name_is_refused():
    registry = Registry("thing", "genbench.nowhere")
    registry._modules["json"] = "json"
    with pytest.raises(ContractError, match=r"json must register the thing 'json', its file name"):
        registry.get("json")


def test_what_a_package_brings_is_found_also_when_it_was_imported_before(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "brings_a_model"
    package.mkdir()
    (package / "__init__.py").write_text("from brings_a_model import inner\n")
    (package / "inner.py").write_text(PLUGIN.format(name="mine_in_package"))
    before = list_registered()
    home = load_plugin(package.name)
    plugins = [("model", "mine_in_package")]
    assert list_brought(home, before) == list_brought(home, list_registered()) == plugins
    assert find_plugins(package.name) == plugins


def test_a_plugin_file_adds_a_model(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.format(name="mine_for_test"))
    load_plugin(str(path))
    assert MODELS.get("mine_for_test").name == "mine_for_test"
    load_plugin(str(path))  # every job of a run imports it again
    assert "mine_for_test" in MODELS.names()


def test_two_files_of_one_stem_do_not_replace_each_other(tmp_path):
    paths = [tmp_path / folder / "mine.py" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(PLUGIN.format(name="mine_for_test"))
    load_plugin(str(paths[0]))
    with pytest.raises(ContractError, match="registered twice"):
        load_plugin(str(paths[1]))


def test_a_plugin_cannot_replace_a_built_in(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN.format(name="gan"))
    with pytest.raises(ContractError, match="'gan' is built in and cannot be replaced"):
        load_plugin(str(path))
    assert MODELS.get("gan").__module__.startswith("genbench.models.")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def broken(:", "SyntaxError"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("import no_such_module_here", "ModuleNotFoundError"),
    ],
)
def test_a_broken_plugin_is_a_spec_error(tmp_path, source, said):
    path = tmp_path / "broken.py"
    path.write_text(source)
    with pytest.raises(SpecError, match=re.escape(str(path)) + ".*could not be imported: " + said):
        load_plugin(str(path))


@pytest.mark.parametrize("where", ["/no/such/file.py", "no_such_module_here", ".relative", ""])
def test_a_missing_plugin_is_a_spec_error(where):
    with pytest.raises(SpecError, match="--plugin"):
        load_plugin(where)
