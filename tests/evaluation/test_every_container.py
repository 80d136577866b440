"""Every container × every content: the right number, or one sentence."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy
import pytest
import random_fields as f
import torch
from PIL import Image
from safetensors.torch import save_file

from genbench.api import evaluate
from genbench.core.errors import GenbenchError
from genbench.evaluation.files import READERS
from genbench.points.archives import TARS, ZIPS

REAL, FAKE = f.REAL[:24], f.FAKE[:20]
RNG = numpy.random.default_rng(0)
POINTS, OTHERS = RNG.normal(size=(60, 4)), 1.1 * RNG.normal(size=(50, 4))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def shards(x):
    Path("parts").mkdir()
    for k in range(0, len(x), 8):
        numpy.save(f"parts/{k:03d}.npy", x[k : k + 8])
    return "parts"


def table(x, name="mine.parquet"):
    import pyarrow
    import pyarrow.parquet

    columns = {f"x{k}": x[:, k] for k in range(x.shape[1])}
    pyarrow.parquet.write_table(pyarrow.table(columns), name)
    return name


def lists(x):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"x": x.reshape(len(x), -1).tolist()}), "l.parquet")
    return "l.parquet"


def packed(suffix):
    """What packs pictures into a tar of a suffix; Pillow's format is in the file, not in its name."""

    def pack(pictures):
        name = f"mine{suffix}"
        mode = {".tar": "w", ".tgz": "w:gz", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}.get(
            suffix, "w:gz"
        )
        with tarfile.open(name, mode) as archive:
            for k, picture in enumerate(pictures):
                member, content = tarfile.TarInfo(f"a/{k:05d}.png"), f.content_of(picture)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return name

    return pack


#: what holds an array of any shape and type
ARRAYS = {
    ".npy": f.npy,
    ".npz": lambda x: f.npz(arr_0=x),
    ".npz by key": lambda x: f.npz(a=x[:3], b=x) + ":b",
    ".npz compressed": lambda x: f.npz(save=numpy.savez_compressed, samples=x),
    ".pt": lambda x: f.saved(torch.save, torch.as_tensor(x), "mine.pt"),
    ".pth by key": lambda x: f.saved(torch.save, {"x": torch.as_tensor(x)}, "mine.pth") + ":x",
    ".safetensors": lambda x: f.saved(
        save_file, {"x": torch.as_tensor(x).contiguous()}, "m.safetensors"
    ),
    "shards": shards,
    "array": lambda x: x,
    "tensor": torch.as_tensor,
    "function": f.batches,
    "loader": f.loader,
    "one call": lambda x: lambda: x,
}
#: what holds pictures as files
PICTURES = {
    "folder": lambda x: f.folder_of(x, "pictures"),
    "folder of bitmaps": lambda x: f.folder_of(x, "pictures", "bmp"),
    ".zip": f.zip_of,
    **{suffix: packed(suffix) for suffix in TARS},
    "WebDataset": lambda x: f.tar_of(x, web=True),
    "Hugging Face folder": f.datasets_folder,
    ".parquet of pictures": f.parquet_of,
}
#: what holds points as numbers side by side
TABLES = {
    ".csv": f.csv_of,
    ".tsv": lambda x: f.csv_of(x, "mine.tsv", between="\t"),
    ".parquet": table,
    ".parquet of lists": lists,
}
#: content of arrays → (what it is, options, what is said, or None where it is right)
CONTENTS = {
    "bytes": (lambda: FAKE, {}, None),
    "bytes, channels first": (lambda: f.first(FAKE), {}, None),
    "floats": (lambda: f.unit(FAKE), {}, None),
    "signed floats, declared": (
        lambda: f.unit(FAKE) * 2 - 1,
        {"range": {"samples": (-1, 1)}},
        None,
    ),
    "signed floats": (lambda: f.unit(FAKE) * 2 - 1, {}, "--range -1,1"),
    "floats to 255": (lambda: FAKE.astype(numpy.float32), {}, "--range 0,255"),
    "larger ones": (lambda: f.fields(20, 1, 32), {}, "one shape"),
    "NaN": (lambda: numpy.where(FAKE > 250, numpy.nan, FAKE / 255), {}, "NaN or infinite"),
    "one picture": (lambda: FAKE[:1], {}, "at least two points|cannot|samples"),
}
OF_PICTURES = {
    "the same": (lambda: FAKE, {}, None),
    "grey among grey, in colour": (lambda: FAKE, {"channels": 3}, None),
    "larger ones": (lambda: f.fields(20, 1, 32), {}, "one shape"),
    "of two sizes": (lambda: [*FAKE[:9], *f.fields(9, 1, 32)], {}, "16x16"),
    "one picture": (lambda: FAKE[:1], {}, "at least two|empty"),
}
OF_TABLES = {
    "the same": (lambda: OTHERS, {}, None),
    "NaN": (lambda: numpy.where(OTHERS > 1, numpy.nan, OTHERS), {}, "NaN|empty places"),
    "another width": (lambda: OTHERS[:, :3], {}, "one shape"),
    "one point": (lambda: OTHERS[:1], {}, "at least two"),
}
CASES = [
    (container, content, maker, *case)
    for makers, contents in ((ARRAYS, CONTENTS), (PICTURES, OF_PICTURES), (TABLES, OF_TABLES))
    for container, maker in makers.items()
    for content, case in contents.items()
]


def right(container):
    samples, reference = (OTHERS, POINTS) if container in TABLES else (f.unit(FAKE), f.unit(REAL))
    return evaluate(samples, reference, features="identity", metrics="fd", cache=False).fd


@pytest.mark.parametrize(
    ("container", "content", "maker", "make", "options", "said"),
    CASES,
    ids=[f"{container}: {content}" for container, content, *_ in CASES],
)
def test_every_container_is_right_or_refused(container, content, maker, make, options, said):
    reference = POINTS if container in TABLES else f.unit(REAL)
    how = {"features": "identity", "metrics": "fd", "cache": False, **options}
    if said is None:
        assert evaluate(maker(make()), reference, **how).fd == pytest.approx(
            right(container), rel=1e-6
        )
        return
    with pytest.raises(GenbenchError, match=said) as caught:
        evaluate(maker(make()), reference, **how)
    assert "\n" not in str(caught.value)


FILES = {
    name: maker for kind in (ARRAYS, PICTURES) for name, maker in kind.items() if name[0] == "."
}


@pytest.mark.parametrize("container", [*FILES, *TABLES])
def test_every_file_that_is_cut_is_refused(container):
    """But for text, of which nobody can say that it is cut."""
    points = container in TABLES
    name = {**FILES, **TABLES}[container](OTHERS if points else FAKE)
    path, _, _ = name.partition(":")
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])
    if container in (".csv", ".tsv"):
        result = evaluate(name, POINTS, features="identity", metrics="fd")
        assert result.samples.count < len(OTHERS)
        return
    with pytest.raises(GenbenchError, match=r"damaged|cannot|not an") as caught:
        evaluate(name, POINTS if points else f.unit(REAL), features="identity", metrics="fd")
    assert "\n" not in str(caught.value)


def test_no_container_is_left_out():
    names = {name.split()[0] for name in (*ARRAYS, *PICTURES, *TABLES)}
    assert {*READERS, *ZIPS, *TARS} <= names


def test_a_zip_in_a_zip_and_a_picture_that_is_none_are_refused():
    with zipfile.ZipFile("outer.zip", "w") as archive:
        archive.writestr("inner.zip", Path(f.zip_of(FAKE)).read_bytes())
    with pytest.raises(GenbenchError, match="at least two images"):
        evaluate("outer.zip", REAL, metrics="fid")
    Path("texts").mkdir()
    for k in range(3):
        Path(f"texts/{k}.png").write_text("no picture")
    with pytest.raises(GenbenchError, match="not an image"):
        evaluate("texts", REAL, metrics="fid")


def test_pictures_of_palettes_and_of_bits_are_what_is_seen():
    Path("palette").mkdir()
    for k, picture in enumerate(FAKE):
        Image.fromarray(picture // 128 * 255).convert("P").save(f"palette/{k}.png")
    want = evaluate(FAKE // 128 * 255, REAL, features="identity", metrics="fd", range="0,255").fd
    found = evaluate("palette", REAL, features="identity", metrics="fd").fd
    assert found == pytest.approx(want, rel=1e-6)
