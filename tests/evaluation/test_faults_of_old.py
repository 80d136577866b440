"""What an evaluator must not do: use stale features, drop data, borrow names, sink for one metric."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy
import pytest
import random_fields as f
import torch
from PIL import Image

from genbench.api import evaluate
from genbench.cli import main
from genbench.core.errors import DataError, GenbenchError
from genbench.core.metric import METRICS
from genbench.core.rng import Rng

REAL, FAKE = f.REAL, f.FAKE
UNIT = {"real": f.unit(REAL), "fake": f.unit(FAKE)}
FEATURES = """
import torch
from own_scale import SCALE
def scaled(x): return SCALE * x.flatten(1)[:, :6]
"""
PLUGIN = """
from genbench import extractor
from genbench.core.feature import Extractor
from own_scale import SCALE

@extractor("own_plugin")
class Own(Extractor):
    protocol = "own@1"
    def extract(self, x):
        return SCALE * x.flatten(1)[:, :6]
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in ("own_features", "own_scale"):
        sys.modules.pop(name, None)


def score(samples, reference=UNIT["real"], metrics="fid", features="identity", **options):
    result = evaluate(samples, reference, metrics=metrics, features=features, **options)
    return result[result.rows[0].id]


def command(capsys, *args):
    """Exit code, what is printed, and what is said of errors."""
    with pytest.raises(SystemExit) as end:
        main(["evaluate", *map(str, args)])
    out, err = capsys.readouterr()
    return end.value.code or 0, out, err


# stale caches


def test_features_of_a_users_function_are_those_of_its_file_as_it_is():
    f.npy(UNIT["real"], "real.npy")
    values = []
    for scale in (1, 2):
        Path("own_scale.py").write_text(f"SCALE = {scale}\n")
        Path("own_features.py").write_text(FEATURES)
        values.append(score(UNIT["fake"], "real.npy", features="own_features:scaled"))
        for name in ("own_features", "own_scale"):
            sys.modules.pop(name)
    assert values[1] == pytest.approx(4 * values[0], rel=1e-6)


def test_features_of_a_plugin_change_with_what_it_imports_from_its_folder(monkeypatch, tmp_path):
    from genbench.core.feature import EXTRACTORS
    from genbench.core.registry import load_plugin

    monkeypatch.syspath_prepend(tmp_path)
    f.npy(UNIT["real"], "real.npy")
    Path("plugin.py").write_text(PLUGIN)
    values = []
    for scale in (1, 2):
        Path("own_scale.py").write_text(f"SCALE = {scale}\n")
        load_plugin("plugin.py")
        values.append(score(UNIT["fake"], "real.npy", features="own_plugin"))
        sys.modules.pop("own_scale")
        EXTRACTORS._objects.pop("own_plugin")
    assert values[1] == pytest.approx(4 * values[0], rel=1e-6)


def test_how_a_reference_is_read_is_part_of_what_is_kept_of_it():
    f.npy(f.first(REAL).astype(numpy.float32) / 510, "real.npy")
    ranges = [{"reference": (0, high)} for high in (0.5, 1.0)]
    dim, bright = (
        score(UNIT["fake"], "real.npy", features="random_conv", range=r) for r in ranges
    )
    assert dim == score(UNIT["fake"], UNIT["real"], features="random_conv")
    assert bright != pytest.approx(dim, rel=0.1)


# shapes and sizes


def test_resizing_applies_to_whatever_holds_pictures():
    f.folder_of(FAKE, "fake")
    f.folder_of(REAL, "real")
    want = score("fake", "real", resize="8x8")
    forms = ["fake", FAKE, UNIT["fake"], f.batches(FAKE), f.loader(FAKE), f.zip_of(FAKE)]
    for samples in forms:
        assert score(samples, REAL, resize="8x8") == pytest.approx(want, rel=1e-6)
    assert want != pytest.approx(score("fake", "real"), rel=0.01)


def test_pictures_of_two_sizes_are_compared_at_one():
    large = f.fields(50, 1, 32)
    assert score(large, UNIT["real"], resize="16x16") > 0
    with pytest.raises(DataError, match=r"\(50, 3, 32, 32\) and reference \(60, 3, 16, 16\)"):
        score(large, UNIT["real"], features="random_conv")


def test_colour_that_is_grey_is_scored_as_grey_where_that_is_asked():
    grey = [x[..., :1] for x in (FAKE, REAL)]
    coded = [numpy.repeat(x, 3, axis=-1) for x in grey]
    want = score(grey[0], grey[1])
    f.folder_of(coded[0], "coded")
    assert score(coded[0], coded[1], channels=1) == pytest.approx(want, rel=1e-6)
    assert score("coded", grey[1], channels=1) == pytest.approx(want, rel=1e-6)
    with pytest.raises(DataError, match=r"in colour.*--channels 3"):
        score(FAKE, REAL, channels=1)
    assert score(grey[0], coded[1], channels=3) == score(coded[0], coded[1])


# nothing is dropped or cut in silence


def test_linked_folders_are_read_and_circles_end():
    for name, part in (("a", FAKE[:25]), ("b", FAKE[25:])):
        f.folder_of(part, f"elsewhere/{name}")
    Path("fake").mkdir()
    for name in "ab":
        Path("fake", name).symlink_to(Path("elsewhere", name).resolve())
    Path("fake/b/round").symlink_to(Path("fake").resolve())
    result = evaluate("fake", UNIT["real"], metrics="fid", features="identity")
    assert result.fid == pytest.approx(score(UNIT["fake"]), rel=1e-6)
    assert result.notes[0] == "fake: 1 links to folders that were read already were left out"


def test_whole_numbers_of_64_bits_keep_their_digits():
    seconds = 1_700_000_000 + numpy.arange(60).reshape(30, 2)
    value = score(seconds + 7, seconds, metrics="wasserstein")
    assert value == pytest.approx(7 * 2**0.5, rel=1e-12)
    value = score(f.batches(seconds + 7), seconds, metrics="wasserstein", memory="64MiB")
    assert value == pytest.approx(7 * 2**0.5, rel=1e-12)
    with pytest.raises(DataError, match=r"beyond 2\^53"):
        score(seconds + 2**60, seconds)


def test_a_limit_draws_from_all_and_says_so():
    bright = numpy.concatenate([FAKE[:25] // 4 * 3, FAKE[25:]])  # sorted, as class folders are
    result = evaluate(bright, UNIT["real"], metrics="fid", limit=20, features="identity")
    assert "samples: 20 of 50 were drawn at random (seed 0)" in result.notes
    first = score(bright[:20], UNIT["real"])
    assert result.fid != pytest.approx(first, rel=1e-3)
    again = evaluate(bright, UNIT["real"], metrics="fid", limit=20, features="identity", seed=1)
    assert again.fid != result.fid
    folder = f.folder_of(bright, "bright")
    assert score(folder, UNIT["real"], limit=20) == pytest.approx(result.fid, rel=1e-6)
    streamed = evaluate(f.batches(bright), UNIT["real"], metrics="fid", limit=20)
    assert streamed.fid == pytest.approx(first, rel=0.5)
    assert any("the first 20 were taken" in note for note in streamed.notes)


def test_photographs_are_turned_as_they_are_seen():
    for k, picture in enumerate(FAKE):
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by 90 degrees clockwise
        turned = Image.fromarray(numpy.rot90(picture))
        Path("fake").mkdir(exist_ok=True)
        turned.save(f"fake/{k:04d}.png", exif=exif)
    result = evaluate("fake", UNIT["real"], metrics="fid", features="identity")
    assert result.fid == pytest.approx(score(UNIT["fake"]), rel=1e-6)
    assert result.notes[0] == "fake: 50 files were turned as their EXIF data say"


def test_dropped_transparency_and_frames_are_said():
    Path("fake").mkdir()
    for k in range(3):
        image = Image.fromarray(FAKE[k]).convert("RGBA")
        image.putalpha(100)
        image.save(f"fake/{k}.png")
    notes = evaluate("fake", UNIT["real"], metrics="fid").notes
    assert notes[0] == "fake: 3 files had transparency, which was dropped"


def test_an_empty_name_is_not_the_current_folder(capsys):
    f.folder_of(FAKE, ".")
    for args in (["", "-r", "."], [".", "-r", ""], [".", "-r", ".", "--train", " "]):
        code, out, err = command(capsys, *args, "--metrics", "fid")
        assert (code, out) == (2, "")
        assert "needs a name" in err


# names


def test_names_of_torch_fidelity_are_for_its_numbers_alone():
    for features in ("identity", "random_conv"):
        result = evaluate(FAKE, REAL, metrics="fid,kid,prdc:neighbours=3", features=features)
        assert result.to_dict()["aliases"] == {}
    alias = METRICS.get("kid").columns["kid_subsets"].alias
    good = "inception-v3-compat, n=5000/5000, subset_seed=2020, subset_size=1000, subsets=100"
    assert alias.fits(good)
    assert alias.fits(good.replace("compat,", "compat weights 0123abcd,"))
    for other in (
        good.replace("=1000", "=50"),
        good.replace("=100,", "=10,").replace("subsets=100", "subsets=10"),
        good.replace("inception-v3-compat", "identity"),
        good.replace("inception-v3-compat", "inception-v3-compat2"),
    ):
        assert not alias.fits(other)
    assert METRICS.get("prdc").columns["precision"].alias is None


@pytest.mark.parametrize(
    "metric", ["mmd", "mmd_test", "energy_distance", "wasserstein", "sliced_wasserstein"]
)
def test_distances_follow_the_features_that_are_named(metric):
    from genbench.core.feature import EXTRACTORS

    # as many of both, since of more points wasserstein draws those that count
    fake = UNIT["fake"]
    real = UNIT["real"][: len(fake)]
    features = [EXTRACTORS.get("random_conv")().extract(torch.tensor(x)) for x in (real, fake)]
    function = METRICS.get(metric).function
    result = evaluate(fake, real, metrics=metric, features="random_conv")
    row = result.rows[0]
    direct = function(*features, rng=Rng([0]).fork("evaluate").to("cpu").fork("metric", metric))
    direct = direct[row.id] if isinstance(direct, dict) else direct
    assert row.value == pytest.approx(getattr(direct, "value", direct), rel=1e-9)
    assert row.protocol.startswith("random_conv@1, n=50/50")
    plain = evaluate(fake, real, metrics=metric).rows[0]
    assert plain.protocol.startswith("identity, n=50/50")
    assert plain.value != row.value


# one metric does not sink all


def test_what_cannot_be_computed_is_null_and_the_rest_is_printed(capsys):
    f.npy(UNIT["fake"][:5], "five.npy")
    f.npy(UNIT["real"], "real.npy")
    f.npy(0 * UNIT["real"] + 0.5, "constant.npy")
    for args in (["five.npy", "-r", "real.npy"], ["five.npy", "-r", "constant.npy"]):
        code, out, err = command(capsys, *args, "--json")
        assert code == 0, err
        rows = json.loads(out)["metrics"]
        assert rows["fid"]["value"] > 0
        assert rows["recall"]["value"] is None
        assert "more than 5" in rows["recall"]["reason"]
    code, out, err = command(
        capsys, "five.npy", "-r", "real.npy", "--metrics", "prdc,nll", "--json"
    )
    assert (code, out) == (2, "")
    assert "no metric could be computed: prdc: prdc needs more than 5" in err


def test_the_table_fits_a_terminal_and_says_how_it_was_measured_once(capsys):
    f.npy(UNIT["fake"], "fake.npy")
    f.npy(UNIT["real"], "real.npy")
    code, out, _ = command(capsys, "fake.npy", "-r", "real.npy", "--features", "random_conv")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "↓" in out
    assert " ".join(out.split()).count("random_conv@1, n = 60/50, neighbours=5") == 1
    assert "±" in out


# provenance


def test_a_commit_is_that_of_genbenchs_own_files(tmp_path, monkeypatch):
    import subprocess

    from genbench.store import environment

    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    place = tmp_path / "theirs" / "site-packages" / "genbench" / "running"
    place.mkdir(parents=True)
    Path(place, "environment.py").write_text("")
    Path(tmp_path, "theirs", "a.txt").write_text("a")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for args in (["init", "-q"], ["add", "a.txt"], ["commit", "-qm", "a"]):
        subprocess.run([*git, *args], cwd=tmp_path / "theirs", check=True, capture_output=True)
    assert environment.find_commit(place / "environment.py") is None
    subprocess.run([*git, "add", "-A"], cwd=tmp_path / "theirs", check=True)
    subprocess.run([*git, "commit", "-qm", "b"], cwd=tmp_path / "theirs", check=True)
    assert environment.find_commit(place / "environment.py")


def test_errors_are_of_one_line():
    with pytest.raises(GenbenchError) as caught:
        score("nowhere/at/all/")
    assert "\n" not in str(caught.value)
