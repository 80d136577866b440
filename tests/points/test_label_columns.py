"""A column y is a coordinate or labels by what it holds and stands beside, or is asked about."""

import numpy
import pandas
import pytest
import torch

from genbench import evaluate
from genbench.core.errors import DataError
from genbench.points.arrays import open_array
from genbench.points.arrow_tables import open_parquet
from genbench.points.tables import open_csv
from genbench.points.tensors import open_tensor

FLOAT, OTHER = numpy.linspace(0.1, 3.3, 12), numpy.linspace(-1.2, 5.0, 12)
WHOLE, NAMES = numpy.arange(12) % 3, numpy.array(["cat", "dog", "eel"] * 4)
FILES = pytest.mark.parametrize("ending", ["csv", "parquet"])
#: columns, dimensions and whether there are classes
READ = {
    "a float y beside x": ({"x": FLOAT, "y": OTHER}, 2, False),
    "in capitals": ({"X": FLOAT, "Y": OTHER}, 2, False),
    "x, y and z": ({"x": FLOAT, "y": OTHER, "z": OTHER}, 3, False),
    "x, y and labels": ({"x": FLOAT, "y": OTHER, "label": WHOLE}, 2, True),
    "whole x, y and labels": ({"x": WHOLE, "y": WHOLE, "label": WHOLE}, 2, True),
    "classes y": ({"a": FLOAT, "b": OTHER, "y": WHOLE}, 2, True),
    "classes y as floats": ({"a": FLOAT, "b": OTHER, "y": WHOLE * 1.0}, 2, False),
    "names y": ({"x": FLOAT, "b": OTHER, "y": NAMES}, 2, True),
    "y alone": ({"y": FLOAT}, 1, False),
    "targets": ({"a": FLOAT, "target": OTHER}, 1, False),
}
ASKED = {
    "whole y beside x": ({"x": FLOAT, "y": WHOLE}, "y' beside 'x' .* rename it 'label' where"),
    "float y beside others": (
        {"a": FLOAT, "b": FLOAT, "y": OTHER},
        "'target' where .*, else 'x2'",
    ),
}


def write(folder, columns, ending):
    pandas = pytest.importorskip("pandas")
    path = folder / f"mine.{ending}"
    frame = pandas.DataFrame(columns)
    if ending == "csv":
        frame.to_csv(path, index=False)
    else:
        pytest.importorskip("pyarrow")
        frame.to_parquet(path, index=False, row_group_size=5)
    return path


def read(path):
    """The shape of the points, and their classes."""
    reader = (open_csv if path.suffix == ".csv" else open_parquet)(path)
    chunks = reader.take(numpy.arange(12))
    array = numpy.concatenate([chunk.array for chunk in chunks])
    return array.shape, reader.labels


@FILES
@pytest.mark.parametrize("case", READ)
def test_it_is_read_as_what_it_is(tmp_path, ending, case):
    columns, size, classes = READ[case]
    shape, labels = read(write(tmp_path, columns, ending))
    assert shape == (12, size)
    assert (labels is not None) == classes
    if classes:
        expected = NAMES if "names" in case else WHOLE
        assert labels.tolist() == expected.tolist()


@FILES
@pytest.mark.parametrize("case", ASKED)
def test_where_both_may_be_it_is_asked(tmp_path, ending, case):
    columns, told = ASKED[case]
    with pytest.raises(DataError, match=told):
        read(write(tmp_path, columns, ending))


def test_both_coordinates_are_scored(tmp_path):
    near = write(tmp_path, {"x": FLOAT, "y": OTHER}, "csv")
    (tmp_path / "far").mkdir()
    far = write(tmp_path / "far", {"x": FLOAT, "y": OTHER + 100.5}, "csv")
    result = evaluate(str(near), str(far), metrics="fid")
    (row,) = [row for row in result.rows if row.id == "fid"]
    assert row.value > 9000
    assert not any("set aside" in note for note in result.notes)


def test_a_shape_that_differs_names_what_was_set_aside(tmp_path):
    mine = write(tmp_path, {"a": FLOAT, "class": WHOLE}, "csv")
    numpy.save(tmp_path / "real.npy", numpy.stack([FLOAT, OTHER], 1))
    told = (
        r"samples \(12, 1\) \(its column class was set aside as labels\) and reference \(12, 2\)"
    )
    with pytest.raises(DataError, match=told):
        evaluate(str(mine), str(tmp_path / "real.npy"), metrics="fid")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x,y\n1,2\n3,abc\n4,5\n", "got 'abc' in row 2 of column 'y'"),
        ("x,y\n1.5,2.5\n3\n4.5,5\n", "1 numbers that are NaN"),
    ],
)
def test_a_bad_row_is_told_of_before_its_column_is_set_aside(tmp_path, text, told):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        evaluate(str(path), "ring:test", metrics="mmd")


def test_arrays_by_the_names_of_coordinates_are_asked_to_be_one(tmp_path):
    numpy.savez(tmp_path / "a.npz", x=FLOAT, y=OTHER)
    with pytest.raises(DataError, match=r"numpy.stack\(\[x, y\], 1\)"):
        open_array(tmp_path / "a.npz")
    torch.save({"x": torch.tensor(FLOAT), "y": torch.tensor(OTHER)}, tmp_path / "a.pt")
    with pytest.raises(DataError, match=r"torch.stack\(\[x, y\], 1\)"):
        open_tensor(tmp_path / "a.pt")


def test_numbers_beside_an_array_are_no_classes_unless_whole(tmp_path):
    points = numpy.stack([FLOAT, OTHER], 1)
    numpy.savez(tmp_path / "a.npz", samples=points, y=OTHER)
    reader = open_array(tmp_path / "a.npz")
    assert reader.labels is None
    assert reader.notes() == ["its array y was not read"]
    numpy.savez(tmp_path / "a.npz", samples=points, y=WHOLE)
    assert open_array(tmp_path / "a.npz").labels is not None
    torch.save({"samples": torch.tensor(points), "y": torch.tensor(OTHER)}, tmp_path / "a.pt")
    reader = open_tensor(tmp_path / "a.pt")
    assert reader.labels is None
    assert reader.notes() == ["its tensor y was not read"]


# --- the order of columns

TABLE = pandas.DataFrame(numpy.arange(60.0).reshape(20, 3) ** 0.5, columns=list("xyz"))
TURNED = TABLE[["z", "x", "y"]]


def save_table(table, path):
    """Writes a table, and returns what it is called."""
    table.to_csv(path, index=False) if path.suffix == ".csv" else table.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_the_same_columns_in_another_order_are_refused_and_not_compared(tmp_path, ending):
    one, two = (
        save_table(table, tmp_path / f"{name}{ending}")
        for name, table in (("one", TABLE), ("two", TURNED))
    )
    for samples, reference in ((two, one), (TURNED, TABLE), (TURNED, one)):
        with pytest.raises(DataError, match="in one order, got x, y, z and z, x, y"):
            evaluate(samples, reference, metrics="fid")
    with pytest.raises(DataError, match="columns in one order"):
        evaluate(one, one, train=two, metrics="fid")
    assert evaluate(one, TABLE, metrics="fid")["fid"] == pytest.approx(0.0, abs=1e-9)
    other = TURNED.set_axis(["u", "v", "w"], axis=1)
    result = evaluate(other, TABLE, metrics="fid")
    assert result["fid"] > 0.1
    assert any("columns u, v, w of " in n and "stand for x, y, z of" in n for n in result.notes)
    assert not any("stand for" in n for n in evaluate(TABLE, TABLE, metrics="fid").notes)


def test_shards_of_two_orders_are_refused(tmp_path):
    save_table(TABLE, tmp_path / "0.csv")
    save_table(TURNED, tmp_path / "1.csv")
    with pytest.raises(DataError, match=r"in one order, got x, y, z and z, x, y in .*1\.csv"):
        evaluate(str(tmp_path), TABLE, metrics="fid")
    save_table(TABLE.set_axis(["u", "v", "w"], axis=1), tmp_path / "1.csv")
    with pytest.raises(
        DataError, match=r"of the same columns in one order, got x, y, z and u, v, w in"
    ):
        evaluate(str(tmp_path), TABLE, metrics="fid")


def test_a_table_of_pandas_is_read_as_its_file_is(tmp_path):
    labelled = TABLE.assign(label=[0, 1] * 10)
    path = save_table(labelled, tmp_path / "labelled.csv")
    results = [evaluate(x, TABLE, metrics="fid") for x in (labelled, path)]
    assert results[0]["fid"] == results[1]["fid"]
    assert all(any("set aside as labels" in note for note in r.notes) for r in results)
