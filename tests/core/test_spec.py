import re

import pytest

from genbench.core.spec import Budget, CellSpec, Training, canonical


def cell(**changed):
    given = {
        "model": "gan",
        "model_version": 1,
        "options": {"hidden": (8, 8), "lr": 0.1},
        "dataset": "ring",
        "dataset_version": 1,
        "budget": Budget(steps=10),
        "batch": 4,
        "seed": 0,
    }
    return CellSpec(**(given | changed))


def test_a_cells_name_depends_on_all_that_decides_its_weights():
    names = {cell().cell}
    changes = [
        {"model": "vae"},
        {"model_version": 2},
        {"options": {"lr": 0.1}},
        {"dataset": "grid"},
        {"dataset_version": 2},
        {"dataset_options": {"size": 3}},
        {"budget": Budget(examples=10)},
        {"batch": 5},
        {"precision": "float64"},
        {"autocast": "bf16"},
        {"compiled": "inductor"},
        {"training": Training(share=0.75)},
        {"training": Training(decay="linear")},
        {"seed": 1},
    ]
    for change in changes:
        names.add(cell(**change).cell)
    assert len(names) == 1 + len(changes)
    assert all(re.fullmatch(r"[0-9a-f]{16}", name) for name in names)


def test_cells_of_a_group_differ_in_the_seed_alone():
    assert cell(seed=1).group == cell().group
    assert cell(batch=5).group != cell().group


def test_a_cells_name_survives_json_and_the_order_of_options():
    again = CellSpec.model_validate_json(cell().model_dump_json())
    assert again.cell == cell(options={"lr": 0.1, "hidden": [8, 8]}).cell == cell().cell


def test_a_cell_that_says_nothing_of_training_is_named_and_written_as_ever():
    assert cell().cell == cell(training=None).cell
    assert "training" not in cell().model_dump_json()
    again = CellSpec.model_validate_json(cell(training=Training(share=0.75)).model_dump_json())
    assert again.cell == cell(training=Training(share=0.75)).cell


def test_canonical_json_is_sorted_dense_and_finite():
    assert canonical({"b": 1, "a": (1, 2.5)}) == '{"a":[1,2.5],"b":1}'
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"a": float("nan")})
