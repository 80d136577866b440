"""Outputs that somebody made of inputs: matched by name or by order, or refused in one sentence."""

import json
import math
import unicodedata
import zipfile
from functools import partial

import numpy
import pytest
import torch
from PIL import Image
from torch.nn import functional

from genbench.api import evaluate
from genbench.cli import main
from genbench.core.dataset import open_named
from genbench.core.errors import ContractError, DataError, SpecError
from genbench.core.metric import METRICS
from genbench.core.rng import Rng
from genbench.evaluation.batches import ReadOptions
from genbench.evaluation.degradation import find_map

N = 12
METRICS_OF_PAIRS = "psnr,ssim"
RNG = numpy.random.default_rng(0)
TRUTH = RNG.integers(0, 256, (N, 1, 12, 12), dtype=numpy.uint8)
OUT = numpy.clip(TRUTH.astype(int) + RNG.integers(-20, 20, TRUTH.shape), 0, 255).astype("uint8")
IN = TRUTH[:, :, ::2, ::2].copy()


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def save(folder, images, names=None):
    folder.mkdir()
    for name, x in zip(names or [f"{k:02}.png" for k in range(len(images))], images, strict=True):
        Image.fromarray(x[0]).save(folder / name)
    return str(folder)


def psnr(result):
    return pytest.approx(result.psnr, abs=1e-9)


def test_folders_arrays_and_the_metric_itself_agree(tmp_path):
    """A folder matched by name, arrays matched by order, and the function called directly."""
    by_order = evaluate(OUT, TRUTH, source=IN, metrics=METRICS_OF_PAIRS, features="identity")
    folders = [save(tmp_path / n, x) for n, x in (("out", OUT), ("truth", TRUTH), ("in", IN))]
    by_name = evaluate(
        folders[0],
        folders[1],
        source=folders[2],
        metrics=METRICS_OF_PAIRS,
        features="identity",
    )
    real, fake = (torch.from_numpy(x).float() / 255 for x in (TRUTH, OUT))
    direct = METRICS.get("psnr").function(real, real, fake, None, rng=Rng([0])).value
    assert by_order.psnr == pytest.approx(direct, abs=1e-9)
    assert by_name.psnr == psnr(by_order)
    assert by_name.ssim == pytest.approx(by_order.ssim, abs=1e-9)
    assert "fid" in by_name.metrics  # never alone


def test_names_decide_and_not_the_order_in_which_a_container_keeps_them(tmp_path):
    """An archive sorts b.png behind a/z.png, a folder before it."""
    names = [f"{'a/' if k % 2 else 'b'}{k:02}.png" for k in range(N)]
    folders = {}
    for part, x in (("out", OUT), ("truth", TRUTH)):
        (tmp_path / part / "a").mkdir(parents=True)
        for name, image in zip(names, x, strict=True):
            Image.fromarray(image[0]).save(tmp_path / part / name)
        folders[part] = str(tmp_path / part)
    with zipfile.ZipFile("out.zip", "w") as archive:
        for name in names:
            archive.write(tmp_path / "out" / name, name)
    of_folders = evaluate(
        folders["out"],
        folders["truth"],
        source=folders["truth"],
        metrics="psnr",
        features="identity",
    )
    of_archive = evaluate(
        "out.zip", folders["truth"], source=folders["truth"], metrics="psnr", features="identity"
    )
    assert of_archive.psnr == psnr(of_folders)
    assert of_folders.psnr > 20


def test_a_name_that_another_folder_lacks_is_named(tmp_path, capsys):
    out = save(tmp_path / "out", OUT, [f"{k:02}.png" for k in range(N - 1)] + ["other.png"])
    truth, given = save(tmp_path / "truth", TRUTH), save(tmp_path / "in", IN)
    arguments = ["evaluate", out, "-r", truth, "--source", given, "--metrics", "psnr"]
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    text = capsys.readouterr().err
    assert stop.value.code == 2
    assert text.startswith(
        f"genbench: pairs need files of the same names, 11 of {truth} is not in"
    )
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("out", "given", "text"),
    [
        (OUT[:-1], IN, "11 of samples"),
        (OUT, IN[:-2], "10 of sources"),
        (OUT[:, :, :6], IN, "points of one shape"),
    ],
)
def test_other_counts_and_shapes_are_refused(out, given, text):
    with pytest.raises(DataError, match=text):
        evaluate(out, TRUTH, source=given, metrics="psnr", features="identity")


def test_a_stream_of_too_few_points_is_refused_once_it_has_been_read():
    with pytest.raises(DataError, match="pairs need a sample and a true point for every source"):
        evaluate(lambda: iter([OUT[:5]]), TRUTH, source=IN, metrics="psnr", features="identity")


def test_a_limit_takes_the_same_rows_of_all():
    some = evaluate(OUT, TRUTH, source=IN, metrics="psnr", features="identity", limit=5)
    whole = evaluate(OUT[:5], TRUTH[:5], source=IN[:5], metrics="psnr", features="identity")
    assert some.psnr == psnr(whole)
    assert "samples: the first 5 pairs were taken" in some.notes


def test_a_data_set_brings_its_own_sources():
    """`-r super_resolution:test` knows them, and the known map back; nobody else's may take their place."""
    data = open_named("super_resolution")
    truth = data.points("test")
    result = evaluate(
        truth, "super_resolution:test", metrics="psnr,consistency", features="identity"
    )
    assert result.consistency == 0
    assert result.psnr == pytest.approx(20 * math.log10(255) + 10 * math.log10(64), abs=1e-6)
    noise = (truth + 0.2 * torch.randn(truth.shape, generator=torch.manual_seed(0))).clamp(0, 1)
    worse = evaluate(
        noise, "super_resolution:test", metrics="psnr,consistency", features="identity", limit=50
    )
    assert worse.consistency > 0.02
    with pytest.raises(SpecError, match="has sources of its own"):
        evaluate(truth, "super_resolution:test", source=IN, metrics="psnr")


def test_without_sources_metrics_of_pairs_say_so():
    result = evaluate(OUT, TRUTH, metrics="psnr,mmd", features="identity")
    assert result.psnr is None
    assert "needs sources that points are made from" in result.metrics["psnr"].reason
    assert result.mmd is not None


def test_other_counts_than_a_data_set_s_sources_are_said():
    """`super_resolution has none` would be false: it has 500."""
    data = open_named("super_resolution")
    some = data.points("test")[:50]
    result = evaluate(some, "super_resolution:test", metrics="psnr,mmd", features="identity")
    assert result.metrics["psnr"].reason == (
        "psnr needs sources that points are made from, super_resolution:test has 500 for 50 samples of "
        "samples; give one sample for each, in their order"
    )
    stream = evaluate(
        lambda: iter([some]), "super_resolution:test", metrics="psnr,mmd", features="identity"
    )
    assert "has 500 for an unknown number of samples" in stream.metrics["psnr"].reason


@pytest.mark.parametrize("metrics", ["psnr", "psnr,ssim"])
def test_numbers_that_nobody_asked_for_do_not_stand_for_those_that_were(metrics, capsys):
    """FID comes with PSNR by itself, so that it had a number where nothing that was named had one."""
    numpy.save("x.npy", OUT)
    numpy.save("y.npy", TRUTH)
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "x.npy", "-r", "y.npy", "--metrics", metrics])
    text = capsys.readouterr().err
    assert stop.value.code == 2
    assert len(text.splitlines()) == 1
    assert "psnr needs sources that points are made from, the reference has none" in text
    assert "name them by --source IN" in text
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "x.npy", "-r", "y.npy", "--metrics", f"{metrics},fid"])
    assert not stop.value.code


def test_records_hold_no_numbers_that_nobody_asked_for(tmp_path):
    numpy.save("x.npy", OUT)
    numpy.save("y.npy", TRUTH)
    with pytest.raises(DataError, match=r"no metric of x\.npy could be computed: psnr"):
        evaluate("x.npy", "y.npy", metrics="psnr", record="mine", as_dataset="things")
    assert not (tmp_path / "runs").exists()


def test_a_split_takes_options_of_its_data_set():
    data = open_named("super_resolution", scale=4, kernel="bicubic")
    truth = data.points("test")
    fake = (truth + 0.2 * torch.randn(truth.shape, generator=torch.manual_seed(0))).clamp(0, 1)
    where = "super_resolution:scale=4,kernel=bicubic:test"
    result = evaluate(fake, where, metrics="consistency,psnr", features="identity")
    error = (data.degrade(fake) - data.given.points("test")).square().mean().sqrt()
    assert result.consistency == pytest.approx(float(error), rel=1e-6)
    assert result.reference.label == where
    assert f"against {where}" in result.citations["psnr"]
    other = evaluate(fake, "super_resolution:test", metrics="consistency", features="identity")
    assert other.consistency != pytest.approx(result.consistency, rel=1e-3)
    assert other.reference.label == "super_resolution:test"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("super_resolution:scael=4:test", "no option 'scael'; did you mean 'scale'?"),
        ("super_resolution:scale=four:test", "option 'scale' needs int, got 'four'"),
        ("super_resolution:scale=3:test", "a scale of 2 or more that divides the sides"),
        ("super_resolution:scale=4", "names no split; say super_resolution:scale=4:test"),
        ("super_resolution:scale=4:tset", "no split 'tset'; did you mean 'test'?"),
        ("super_resolutoin:scale=4:test", "did you mean 'super_resolution'?"),
        ("super_resolution:data_dir=x,offline=maybe:tset", "no split 'tset'"),
    ],
)
def test_wrong_options_of_a_split_are_one_sentence(name, text, capsys):
    numpy.save("x.npy", OUT)
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "x.npy", "-r", name, "--metrics", "mmd"])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert len(error.splitlines()) == 1
    assert text in error


def test_scores_against_a_data_set_with_options_are_recorded_of_that_one():
    """Not of the default one, on whose leaderboard they would stand."""
    data = open_named("super_resolution", scale=4)
    fake = (data.points("test") * 0.9).clamp(0, 1)
    where = {"metrics": "psnr", "features": "identity", "record": "mine"}
    (record,) = evaluate(fake, "super_resolution:scale=4:test", **where).records
    assert record.spec.dataset_options == {"of": "digits", "scale": 4, "kernel": "box"}
    (usual,) = evaluate(fake, "super_resolution:test", **where).records
    assert usual.spec.dataset_options == {}
    assert usual.group != record.group


def test_consistency_of_folders_is_that_of_the_map_that_is_named(tmp_path, capsys):
    """Folders know no map: its data set names it, with its options, or a function does."""
    x = torch.from_numpy(OUT).float() / 255
    low = (functional.avg_pool2d(x, 2) * 255).round() / 255
    means = functional.avg_pool2d(torch.from_numpy(TRUTH).float(), 2).round()
    given = means.to(torch.uint8).numpy()
    error = (low - means / 255).square().mean().sqrt()
    folders = [save(tmp_path / n, x) for n, x in (("out", OUT), ("truth", TRUTH), ("in", given))]
    words = ["evaluate", folders[0], "-r", folders[1], "--source", folders[2], "--json"]
    words += ["--metrics", "consistency", "--degrade"]
    with pytest.raises(SystemExit) as stop:
        main([*words, "super_resolution:of=photographs,scale=2"])
    assert not stop.value.code
    scores = json.loads(capsys.readouterr().out)["metrics"]
    assert scores["consistency"]["value"] == pytest.approx(float(error), rel=1e-5)
    by_function = evaluate(
        OUT,
        TRUTH,
        source=given,
        degrade=lambda x: (functional.avg_pool2d(x, 2) * 255).round() / 255,
        metrics="consistency",
    )
    assert by_function.consistency == pytest.approx(float(error), rel=1e-5)
    for name, text in (
        ("digits", "digits knows none"),
        ("super_resolution:of=photographs,scale=4", "a map to sources of shape"),
    ):
        with pytest.raises(SystemExit) as stop:
            main([*words, name])
        assert stop.value.code == 2
        assert text in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(words[:-1])
    assert stop.value.code == 2
    assert "name the data set that has it by --degrade NAME" in capsys.readouterr().err


def test_what_is_known_of_pairs_says_what_is_measured_where_nobody_names_metrics():
    """Sources ask for errors of pairs, the map to them for consistency; without them neither is mentioned."""
    features = {"features": "identity"}
    pairs = evaluate(OUT, TRUTH, source=IN, **features)
    assert pairs.psnr == psnr(evaluate(OUT, TRUTH, source=IN, metrics="psnr", **features))
    assert {"fid", "kid", "mmd", "precision", "psnr", "ssim"} <= set(pairs.metrics)
    assert "consistency" not in pairs.metrics
    low = partial(functional.avg_pool2d, kernel_size=2)
    known = evaluate(OUT, TRUTH, source=IN, degrade=low, **features)
    assert set(known.metrics) - set(pairs.metrics) == {"consistency"}
    assert not {"psnr", "ssim", "consistency"} & set(evaluate(OUT, TRUTH, **features).metrics)


def test_a_map_that_fails_is_named():
    def broken(x):
        raise ValueError("no such thing")

    with pytest.raises(ContractError, match="degrade failed: ValueError: no such thing"):
        find_map(broken, ReadOptions())(torch.zeros(1))


def test_a_data_set_s_own_sources_bring_its_map_to_points_from_anywhere():
    data = open_named("super_resolution", scale=4)
    truth = data.points("test").numpy()
    numpy.save("truth.npy", truth)
    result = evaluate(
        truth, "truth.npy", source="super_resolution:scale=4:test", metrics="consistency"
    )
    assert result.consistency == 0


def test_names_of_one_spelling_in_two_codes_are_the_same(tmp_path):
    for side, form in (("out", "NFC"), ("truth", "NFD"), ("in", "NFC")):
        (tmp_path / side).mkdir()
        for number in range(3):
            name = unicodedata.normalize(form, f"ü{number}.png")
            pixels = numpy.full((8, 8), 60 * number, dtype=numpy.uint8)
            Image.fromarray(pixels).save(tmp_path / side / name)
    sides = (str(tmp_path / side) for side in ("out", "truth"))
    assert evaluate(*sides, source=str(tmp_path / "in"), metrics="psnr")["psnr"] > 60
