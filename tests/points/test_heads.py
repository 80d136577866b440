"""The first line of a table of text: names, or a point; and what else of a table is no point."""

from __future__ import annotations

import numpy
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from genbench.api import evaluate
from genbench.core.errors import DataError
from genbench.points.arrow_tables import open_parquet
from genbench.points.tables import open_csv, read_frame

POINTS = numpy.random.default_rng(0).normal(size=(20, 3))
FRAME = pandas.DataFrame(POINTS, columns=["u", "v", "w"])
ROWS = FRAME.to_csv(index=False, header=False)


def read(tmp_path, text: str) -> numpy.ndarray:
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return open_csv(path).array


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ROWS, id="no head"),
        pytest.param("\ufeff" + ROWS, id="a mark of its encoding, no head"),
        pytest.param("\ufeffu,v,w\n" + ROWS, id="a mark of its encoding"),
        pytest.param("\n\n" + ROWS, id="empty lines, no head"),
        pytest.param("\n\nu,v,w\n" + ROWS, id="empty lines"),
        pytest.param("0,1,2\n" + ROWS, id="pandas' own names"),
        pytest.param('"a; b",v,w\n' + ROWS, id="a separator in a name"),
        pytest.param("# u,v,w\n" + ROWS, id="numpy's head"),
        pytest.param("1x1,1x2,1x3\n" + ROWS, id="names of pixels"),
    ],
)
def test_all_points_and_nothing_else_are_read(tmp_path, text):
    numpy.testing.assert_allclose(read(tmp_path, text), POINTS)


def test_labels_beside_columns_that_pandas_named_are_set_aside(tmp_path):
    frame = pandas.DataFrame(POINTS).assign(label=1)[["label", 0, 1, 2]]
    numpy.testing.assert_allclose(read(tmp_path, frame.to_csv(index=False)), POINTS)


BELOW = "name each column once"
EITHER = "may be names or a point"
NUMBERS = "of the rows' numbers"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# made by me\n" + ROWS, BELOW),
        ("u,v\n" + ROWS, "has 2 in its first line and 3 columns below it"),
        ("u,v,w\n" + ROWS.replace("\n", ",\n"), BELOW),
        ("1.0,,2.0\n" + ROWS, "1 numbers that are NaN"),
        ("1.0,NA,2.0\n" + ROWS, "1 numbers that are NaN"),
        ("1.0,12.5%,2.0\n" + ROWS, EITHER),
        ("2019,2020,2021\n" + ROWS, EITHER),
        ("0,1,2\n1,2,3\n4,3,4\n", EITHER),
        ("0\n0.5\n0.25\n", EITHER),
        (FRAME.to_csv(index_label="id"), NUMBERS),
        (FRAME.to_csv(index_label="index"), NUMBERS),
        (FRAME.to_csv(header=False), NUMBERS),
        (FRAME.to_csv(), "index=False"),
        ("u;v\n0,5;0,6\n0,7;0,8\n", "with a decimal point"),
        ("0,5,0,6\n0,07,0,08\n", "as commas within numbers leave them"),
        ("u v\n0.5 0.6\n0.7 0.8\n", "put commas, semicolons or tabs"),
        ("u,v\n9007199254740993,1\n1,2\n", "beyond 2\\^53"),
    ],
)
def test_what_nobody_can_read_is_refused_in_a_sentence(tmp_path, text, said):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        evaluate(str(path), POINTS, metrics="fid")


def test_years_are_coordinates(tmp_path):
    years = numpy.arange(2000, 2020)
    table = pandas.DataFrame({"year": years, "rain": POINTS[:, 0]})
    assert read(tmp_path, table.to_csv(index=False))[:, 0].tolist() == years.tolist()


def test_an_index_of_pandas_is_no_part_of_points(tmp_path):
    shuffled = FRAME.sample(frac=1, random_state=0)
    shuffled.to_parquet(tmp_path / "mine.parquet")
    part = open_parquet(tmp_path / "mine.parquet").take(numpy.arange(len(FRAME)))
    numpy.testing.assert_allclose(part[0].array, shuffled.to_numpy())
    FRAME.reset_index().to_parquet(tmp_path / "kept.parquet", index=False)
    with pytest.raises(DataError, match=NUMBERS):
        open_parquet(tmp_path / "kept.parquet").take(numpy.arange(2))


def test_columns_of_one_name_are_all_read(tmp_path):
    frame = FRAME.set_axis(["x", "x", "w"], axis=1)
    numpy.testing.assert_allclose(read_frame(frame, "mine").array, POINTS)
    columns = [pyarrow.array(column) for column in POINTS.T]
    table = pyarrow.Table.from_arrays(columns, names=["x", "x", "w"])
    pyarrow.parquet.write_table(table, tmp_path / "mine.parquet")
    part = open_parquet(tmp_path / "mine.parquet").take(numpy.arange(len(FRAME)))
    numpy.testing.assert_allclose(part[0].array, POINTS)


def test_an_empty_place_is_told_of_once(tmp_path):
    FRAME.mask(FRAME.iloc[3, 1] == FRAME).to_parquet(tmp_path / "mine.parquet")
    with pytest.raises(
        DataError, match=r"^[^ ]*mine\.parquet has empty places in column 'v'; fill"
    ):
        open_parquet(tmp_path / "mine.parquet").take(numpy.arange(len(FRAME)))
