"""The gate on real runs: other seeds of unchanged code pass, broken training does not."""

import dataclasses

import pytest
from small_suites import do, suite_of

from genbench.core.model import MODELS
from genbench.report.gate.accept import accept
from genbench.report.gate.check import check
from genbench.store import Store

GIVEN = {
    "batch": 64,
    "budget": {"steps": 250},
    "samples": 500,
    "metrics": ["mmd", "prdc", "modes"],
    "curve": 0,
    "curve_metrics": [],
    "cells": [
        {
            "models": [{"name": "gan", "options": {"hidden": [32, 32]}}, "gaussian"],
            "datasets": ["ring"],
        }
    ],
}


def ran(folder, seeds):
    folder.mkdir(exist_ok=True)
    do(suite_of(folder, **GIVEN, seeds=seeds), folder / "results")
    return list(Store(folder / "results").records())


@pytest.fixture(scope="module")
def baseline(tmp_path_factory):
    records = ran(tmp_path_factory.mktemp("baseline"), list(range(8)))
    return accept(records, suite="tiny", by="a test", when="2026-01-01")


def frozen(name):
    """Players whose player of a name never moves."""
    players = MODELS.get("gan").players

    def stopped(model):
        found = []
        for player in players(model):
            if player.name == name:
                make = player.optimizer
                player = dataclasses.replace(player, optimizer=lambda p, m=make: still(m(p)))
            found.append(player)
        return tuple(found)

    return stopped


def still(optimizer):
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    return optimizer


def test_the_same_seeds_and_other_seeds_pass(baseline, tmp_path):
    again = check(baseline, ran(tmp_path / "again", list(range(8))))
    assert again.ok
    assert all(row.worse == 0 for row in again.rows), "the same seeds give the same bits"
    other = check(baseline, ran(tmp_path / "other", list(range(20, 28))))
    assert other.ok, [row for row in other.rows if row.bad]
    assert any(row.worse != 0 for row in other.rows)


def test_a_frozen_generator_is_caught(baseline, tmp_path, monkeypatch):
    monkeypatch.setattr(MODELS.get("gan"), "players", frozen("generator"))
    outcome = check(baseline, ran(tmp_path / "frozen", list(range(8))))
    assert outcome.exit_code == 1
    assert {row.model.split()[0] for row in outcome.rows if row.bad} == {"gan"}
