import io
import pickle
import zipfile

import numpy
import pytest

from genbench.core.errors import DataError
from genbench.evaluation.sources import ReadOptions, open_points
from genbench.points.arrays import open_array

RNG = numpy.random.default_rng(0)
POINTS = RNG.normal(size=(5, 3))


class Detonator:
    """Says so if it is ever unpickled."""

    fired = False

    def __reduce__(self):
        return (_fire, ())


def _fire():
    Detonator.fired = True


@pytest.fixture(autouse=True)
def _never_unpickled():
    Detonator.fired = False
    yield
    assert not Detonator.fired


def read_array(path):
    """All points of a file, as `evaluate` reads them."""
    return numpy.concatenate([x.numpy() for x in open_points(path, ReadOptions()).batches(3)])


def saved(path, array, **options):
    numpy.save(path, array, **options)
    return path


def refused(path, said):
    with pytest.raises(DataError, match=said) as caught:
        read_array(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (POINTS, "float64"),
        (POINTS.astype("float32"), "float32"),
        (POINTS.astype(">f8"), "float64"),
        (POINTS.astype("float16"), "float32"),
        (numpy.arange(6).reshape(2, 3), "float64"),
        (numpy.arange(6, dtype="int16").reshape(2, 3), "float32"),
        (1_700_000_000 + numpy.arange(6).reshape(2, 3), "float64"),
        (numpy.ones((2, 3), bool), "float32"),
        (numpy.zeros((4, 1, 8, 8), "uint8"), "float32"),
        (numpy.asfortranarray(POINTS), "float64"),
    ],
)
def test_numbers_come_back_as_they_are(tmp_path, array, dtype):
    found = read_array(saved(tmp_path / "a.npy", array))
    assert found.dtype == numpy.dtype(dtype)
    assert found.flags.c_contiguous
    assert found.dtype.isnative
    assert (found == array).all()


def test_an_archive_gives_its_one_array_or_samples(tmp_path):
    one, named = tmp_path / "one.npz", tmp_path / "named.npz"
    numpy.savez(one, whatever=POINTS)
    numpy.savez_compressed(named, other=POINTS + 1, samples=POINTS)
    assert (read_array(one) == POINTS).all()
    assert (read_array(named) == POINTS).all()


def test_two_arrays_without_samples_are_refused(tmp_path):
    numpy.savez(tmp_path / "a.npz", x=POINTS, y=POINTS)
    refused(tmp_path / "a.npz", r"one named 'samples', got \['x', 'y'\]")
    numpy.savez(tmp_path / "none.npz")
    refused(tmp_path / "none.npz", "got none")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (numpy.zeros((0, 3)), r"is empty, shape \(0, 3\)"),
        (numpy.zeros((3, 0)), r"is empty, shape \(3, 0\)"),
        (POINTS[:1], "at least two points, got 1"),
        (POINTS[0], r"shape \(N, D\), \(N, H, W\) or \(N, C, H, W\), got \(3,\)"),
        (numpy.float64(3.0), r"got \(\)"),
        (numpy.zeros((4, 1, 1, 8, 8)), r"got \(4, 1, 1, 8, 8\)"),
        (numpy.array([["a", "b"], ["c", "d"]]), "needs numbers, got <U1"),
        (POINTS.astype(complex), "needs numbers, got complex128"),
        (numpy.where(POINTS.mean() < POINTS, numpy.nan, POINTS), "NaN or infinite"),
        (numpy.array([[numpy.inf, 1.0], [2.0, 3.0]]), "holds 1 numbers that are NaN or infinite"),
    ],
)
def test_arrays_that_hold_no_points_are_refused(tmp_path, array, said):
    refused(saved(tmp_path / "a.npy", array), said)


def test_a_missing_file_and_a_wrong_suffix_say_what_to_give(tmp_path):
    refused(tmp_path / "none.npy", "does not exist; give a .npy or .npz file, or a split")
    (tmp_path / "a.csv").write_text("1,2")
    refused(tmp_path / "a.csv", "needs at least two points, got 1")
    (tmp_path / "a.doc").write_text("1,2")
    refused(tmp_path / "a.doc", "needs to be a .npy or .npz file or another of .*, got '.doc'")
    (tmp_path / "folder.npy").mkdir()
    refused(tmp_path / "folder.npy", "needs at least two images")


def test_pickled_objects_are_refused_and_never_loaded(tmp_path):
    objects = numpy.array([[Detonator(), 1], [2, 3]], dtype=object)
    plain, archive, raw = (tmp_path / name for name in ("a.npy", "a.npz", "raw.npy"))
    numpy.save(plain, objects, allow_pickle=True)
    numpy.savez(archive, samples=objects)
    raw.write_bytes(pickle.dumps(Detonator()))
    for path in (plain, archive):
        refused(path, "holds pickled objects, which are never loaded")
    refused(raw, "is damaged or not an array file")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"not an array" * 50])
def test_other_files_are_refused(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    refused(path, "is damaged or not an array file|holds pickled")


def test_every_truncation_of_an_archive_is_refused(tmp_path):
    held = io.BytesIO()
    numpy.savez_compressed(held, samples=POINTS)
    path = tmp_path / "a.npz"
    for length in range(0, len(held.getvalue()), 23):
        path.write_bytes(held.getvalue()[:length])
        refused(path, "is damaged or not an array file")


def test_flipped_bytes_of_an_archive_never_crash(tmp_path):
    held = io.BytesIO()
    numpy.savez_compressed(held, samples=RNG.normal(size=(40, 4)))
    path = tmp_path / "a.npz"
    for at in range(0, len(held.getvalue()), 7):
        broken = bytearray(held.getvalue())
        broken[at] ^= 0x55
        path.write_bytes(broken)
        try:
            said = str(read_array(path).shape)
        except DataError as error:
            said = str(error)
        assert said == "(40, 4)" or str(path) in said


def test_an_archive_under_the_wrong_suffix_is_refused(tmp_path):
    numpy.savez(tmp_path / "a.npz", samples=POINTS)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    refused(tmp_path / "a.npy", "is damaged or not an array file")


def test_an_archive_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("samples", "text")
    refused(tmp_path / "a.npz", "is damaged or not an array file")


def test_a_zip_bomb_is_refused_by_its_header(tmp_path):
    path = tmp_path / "a.npz"
    numpy.savez_compressed(path, samples=POINTS)
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    assert int.from_bytes(content[entry + 24 : entry + 28], "little") > 0
    names = [f"samples{i}.npy" for i in range(5)]
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    content = path.read_bytes()
    for at in (i for i in range(len(content)) if content[i : i + 4] == b"PK\x01\x02"):
        content = content[: at + 24] + (0xFFFFFFFE).to_bytes(4, "little") + content[at + 28 :]
    path.write_bytes(content)
    refused(path, r"unpacks to 20\.0 GiB, 16 are allowed; split it")


def test_a_header_that_promises_more_than_the_file_holds_is_refused(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 8), }\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
    (tmp_path / "a.npy").write_bytes(content)
    refused(tmp_path / "a.npy", "is damaged or not an array file")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("samples.npy", content)
    refused(tmp_path / "a.npz", "is damaged or not an array file")


def test_images_become_pixels_with_the_channels_first(tmp_path):
    bytes_last = numpy.arange(2 * 4 * 5 * 3, dtype=numpy.uint8).reshape(2, 4, 5, 3)
    read = read_array(saved(tmp_path / "last.npy", bytes_last))
    assert read.shape == (2, 3, 4, 5)
    assert read.dtype == numpy.float32
    numpy.testing.assert_allclose(read[1, 2, 3, 4], bytes_last[1, 3, 4, 2] / 255, rtol=1e-6)
    grey = read_array(saved(tmp_path / "grey.npy", RNG.random((5, 3, 2))))
    assert grey.shape == (5, 1, 3, 2)


def test_a_part_of_a_file_can_be_read(tmp_path):
    opened = open_array(saved(tmp_path / "a.npy", POINTS))
    assert len(opened) == 5
    numpy.testing.assert_array_equal(opened.take(numpy.array([1, 2]))[0].array, POINTS[1:3])
