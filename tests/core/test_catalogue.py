"""Families of models that genbench ships, of plugins, and of plugins that are not installed."""

import json

import pytest

import genbench
from genbench.core.catalogue import family_of, family_to_record
from genbench.core.model import MODELS
from genbench.report.groups import Group
from genbench.store import Store

pytestmark = pytest.mark.usefixtures("registered")
PLUGIN = """
from genbench import Model, model
from genbench.families.translation import ReferenceTranslator

@model("plain_one")
class PlainOne(Model):
    taxonomy = "implicit/direct"
    def __init__(self, spec, rng):
        super().__init__(spec, rng)
    def players(self): return ()
    def sample(self, n, rng): return rng.normal(n, *self.spec.event)

@model("mover_one")
class MoverOne(PlainOne):
    family = "transport"

@model("answer_one")
class AnswerOne(ReferenceTranslator):
    taxonomy = "implicit/direct"
    def translate(self, source, rng): return source
"""
FAMILIES = {"plain_one": "adversarial", "mover_one": "transport", "answer_one": "translation"}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    from genbench.cli import common

    common.load_plugins(("mine.py",))
    return "mine.py"


def test_shipped_models_are_of_the_family_in_whose_folder_they_lie():
    for name, cls in MODELS.all().items():
        if cls.__module__.startswith("genbench.models."):
            assert family_of(name) == cls.__module__.split(".")[2]
            assert family_to_record(name) == ""


def test_a_plugin_s_family_is_its_own_that_of_its_ability_or_that_of_its_taxonomy(plugin):
    assert {name: family_of(name) for name in FAMILIES} == FAMILIES
    recorded = {name: family_to_record(name) for name in FAMILIES}
    assert recorded == {**FAMILIES, "plain_one": ""}
    for name, family in FAMILIES.items():  # as where it is not installed
        assert family_of(f"other_{name}", "implicit/direct", recorded[name]) == family


def test_records_tables_and_frames_call_a_plugin_s_family_by_one_name(plugin):
    genbench.run(
        models=["mover_one", "plain_one"],
        datasets=["ring"],
        metrics="mmd",
        seeds=2,
        steps=1,
        results="runs",
        plugins=("mine.py",),
    )
    records = list(Store("runs").records())
    assert {r.spec.model: r.family for r in records} == {"mover_one": "transport", "plain_one": ""}
    of_model = {r.spec.model: Group(r.group, "", (r,)).family for r in records}
    assert of_model == {name: FAMILIES[name] for name in of_model}
    rows = genbench.results("runs")[["model", "family"]].drop_duplicates().to_dict("records")
    assert {row["model"]: row["family"] for row in rows} == of_model
    for r in records:
        written = json.loads(
            next(p for p in Store("runs").root.rglob(f"{r.cell}.json")).read_text()
        )
        assert ("family" in written) == bool(r.family)
