"""Random-field pictures, 16×16×3, and the ways in which people hand them over."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy
import torch
from PIL import Image


def fields(n, seed, size=16, lift=0.0):
    """Smooth pictures as bytes, shape (n, size, size, 3); the first one has black and white in it."""
    noise = numpy.random.default_rng(seed).normal(size=(n, 3, size, size))
    wave = numpy.fft.fftfreq(size)
    size_of = numpy.sqrt(wave[:, None] ** 2 + wave[None] ** 2)
    size_of[0, 0] = 1 / size
    smooth = numpy.fft.ifft2(numpy.fft.fft2(noise) / size_of**1.2).real
    smooth = 0.18 * smooth / smooth.std((1, 2, 3), keepdims=True) + 0.5 + lift
    whole = (smooth.clip(0, 1) * 255).round().astype(numpy.uint8).transpose(0, 2, 3, 1).copy()
    whole[0, 0, 0], whole[0, 0, 1] = 255, 0
    return whole


REAL, FAKE = fields(60, 0), fields(50, 1, lift=0.03)


def folder_of(pictures, name, suffix="png"):
    Path(name).mkdir(parents=True, exist_ok=True)
    for k, picture in enumerate(pictures):
        Image.fromarray(picture).save(Path(name, f"{k:04d}.{suffix}"))
    return name


def content_of(picture):
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()


def zip_of(pictures, name="mine.zip", labels=False):
    with zipfile.ZipFile(name, "w") as archive:
        for k, picture in enumerate(pictures):
            archive.writestr(f"00000/img{k:08d}.png", content_of(picture))
        if labels:
            pairs = [[f"00000/img{k:08d}.png", k % 3] for k in range(len(pictures))]
            archive.writestr("dataset.json", json.dumps({"labels": pairs}))
    return name


def tar_of(pictures, name="mine.tar", web=False):
    mode = "w:gz" if name.endswith("gz") else "w"
    with tarfile.open(name, mode) as archive:
        for k, picture in enumerate(pictures):
            files = {f"{k:05d}.png": content_of(picture)}
            if web:
                files |= {f"{k:05d}.cls": str(k % 3).encode(), f"{k:05d}.json": b"{}"}
            for file, content in files.items():
                member = tarfile.TarInfo(file)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return name


def shards_of(pictures, name="shards"):
    Path(name).mkdir()
    for k in range(0, len(pictures), 20):
        part = pictures[k : k + 20]
        numpy.savez(Path(name, f"{k:03d}.npz"), arr_0=part, arr_1=numpy.arange(len(part)))
    return name


def datasets_folder(pictures, name="hub"):
    """What `datasets.Dataset.save_to_disk` writes: Arrow streams and a state."""
    import pyarrow

    Path(name).mkdir()
    rows = [{"bytes": content_of(picture), "path": None} for picture in pictures]
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    table = pyarrow.table(
        {
            "image": pyarrow.array(rows, kind),
            "label": pyarrow.array([k % 3 for k in range(len(rows))]),
        }
    )
    files = []
    for k, part in enumerate((table.slice(0, 30), table.slice(30))):
        files.append({"filename": f"data-{k:05d}-of-00002.arrow"})
        place = f"{name}/{files[-1]['filename']}"
        with pyarrow.OSFile(place, "wb") as file, pyarrow.ipc.new_stream(file, part.schema) as out:
            out.write_table(part)
    Path(name, "state.json").write_text(json.dumps({"_data_files": files, "_split": "train"}))
    Path(name, "dataset_info.json").write_text("{}")
    return name


def parquet_of(pictures, name="mine.parquet"):
    import pyarrow
    import pyarrow.parquet

    rows = [{"bytes": content_of(picture), "path": "x.png"} for picture in pictures]
    pyarrow.parquet.write_table(pyarrow.table({"image": rows}), name, row_group_size=20)
    return name


def csv_of(points, name="mine.csv", head=None, between=","):
    with open(name, "w", newline="") as file:
        writer = csv.writer(file, delimiter=between)
        if head:
            writer.writerow(head)
        writer.writerows([[repr(float(x)) for x in row] for row in points])
    return name


def saved(function, x, name):
    function(x, name)
    return name


def npy(x, name="mine.npy"):
    numpy.save(name, x)
    return name


def npz(name="mine.npz", save=numpy.savez, **arrays):
    save(name, **arrays)
    return name


def batches(x, size=16):
    return lambda: (x[k : k + size] for k in range(0, len(x), size))


def first(x):
    """Channels first."""
    return numpy.ascontiguousarray(numpy.moveaxis(x, -1, 1))


def unit(x):
    return first(x).astype(numpy.float32) / 255


def loader(x, **options):
    labels = torch.arange(len(x)) % 3
    data = torch.utils.data.TensorDataset(torch.as_tensor(x), labels)
    return torch.utils.data.DataLoader(data, batch_size=16, **options)
