"""No plugin moves another's number: inputs are guarded, outputs copied, caches checked."""

import hashlib
from pathlib import Path

import numpy
import pytest
import torch
from PIL import EpsImagePlugin

from genbench.core.dataset import DATASETS, Dataset
from genbench.core.errors import ContractError, DataError
from genbench.core.feature import Extractor, extractor
from genbench.core.metric import Column, metric
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.evaluate import evaluate
from genbench.evaluation.evaluator import Evaluator, draw
from genbench.evaluation.requests import make_requests
from genbench.features import _weights
from genbench.points.images import decode
from genbench.points.pairwise import Look, pairwise

POINTS = Rng([3]).normal(120, 2)[0]
COLUMN = {"planted": Column("lower", "1")}


def plant(function, view="points"):
    metric("planted", view=view, columns=COLUMN)(function)
    return [Part(name="planted"), Part(name="prdc")]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("view", ["points", "events", "features", "truth"])
def test_a_metric_that_writes_into_its_points_is_refused_and_the_others_do_not_move(view):
    data = DATASETS.get("ring")()
    sound = Evaluator(data, make_requests([Part(name="prdc")]), samples=100)
    before = {row.id: (row.value, row.floor) for row in sound.score(POINTS, None, Rng([0]))}

    def poison(real, *others, rng):
        target = real if view != "truth" else others[0].centres
        target -= target.mean(0)
        return 1.0

    evaluator = Evaluator(data, make_requests(plant(poison, view)), samples=100)
    with pytest.raises(ContractError, match="metric 'planted' needs to leave what it is given"):
        evaluator.score(POINTS, None, Rng([0]))
    fresh = Evaluator(DATASETS.get("ring")(), make_requests([Part(name="prdc")]), samples=100)
    after = {row.id: (row.value, row.floor) for row in fresh.score(POINTS, None, Rng([0]))}
    assert after == before


@pytest.mark.usefixtures("registered")
def test_a_metric_of_pairs_that_writes_into_a_tile_is_refused():
    @pairwise
    def poison(real, fake, *, rng):
        yield [Look(real, fake, lambda row, column, tile: tile.zero_())]
        return 1.0

    poison.__module__ = "mine"
    requests = [*plant(poison), Part(name="mmd")]
    evaluator = Evaluator(DATASETS.get("ring")(), make_requests(requests), samples=100)
    with pytest.raises(ContractError, match="metric 'planted' needs to leave tiles"):
        evaluator.score(POINTS, None, Rng([0]))


@pytest.mark.usefixtures("registered")
def test_what_a_metric_raises_is_a_reason_and_the_others_are_measured():
    def fail(real, fake, *, rng):
        raise SystemExit(0)

    plant(fail)
    result = evaluate(POINTS[:60], POINTS[60:], metrics="planted,prdc")
    assert result["planted"] is None
    assert "SystemExit: 0 at" in result.metrics["planted"].reason
    assert result["precision"] is not None


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("write", [lambda x: x.zero_(), lambda x: x.numpy().fill(0)])
def test_an_extractor_that_writes_into_its_points_is_refused(write):
    @extractor("planted_extractor")
    class Planted(Extractor):
        protocol = "planted"

        def extract(self, x):
            write(x)
            return x.flatten(1)

    with pytest.raises(ContractError, match="extractor planted_extractor needs to leave"):
        evaluate(
            POINTS[:60], POINTS[60:], metrics="fid", features="planted_extractor", cache=False
        )


@pytest.mark.usefixtures("registered")
def test_an_extractor_may_return_the_same_buffer_again_and_again():
    buffer = torch.empty(60, 2)

    @extractor("planted_extractor")
    class Planted(Extractor):
        protocol = "planted"

        def extract(self, x):
            out = buffer[: len(x)]
            out.copy_(x.flatten(1))
            return out

    same = evaluate(
        POINTS[:60], POINTS[60:], metrics="fid", features="planted_extractor", cache=False
    )
    plain = evaluate(POINTS[:60], POINTS[60:], metrics="fid")
    assert same["fid"] == pytest.approx(plain["fid"], rel=1e-6)
    assert plain["fid"] > 1e-4


def test_a_generator_may_yield_the_same_buffer_again_and_again():
    x = POINTS.numpy()

    def reused():
        buffer = numpy.empty((10, 2), x.dtype)
        for at in range(0, 60, 10):
            buffer[:] = x[at : at + 10]
            yield buffer

    def tensors():
        buffer = torch.empty(10, 2)
        for at in range(0, 60, 10):
            yield buffer.copy_(POINTS[at : at + 10])

    plain = evaluate(x[:60], x[60:], metrics="fid,prdc", batch=16)
    for generator in (reused, tensors):
        result = evaluate(generator, x[60:], metrics="fid,prdc", batch=16)
        for column in ("fid", "precision", "recall"):
            assert result[column] == pytest.approx(plain[column], rel=1e-6)


def test_a_model_may_return_the_same_buffer_again_and_again(monkeypatch):
    monkeypatch.setattr("genbench.evaluation.evaluator.CHUNK", 4)

    class Model:
        name = "planted"
        buffer = torch.empty(1, 4, 2)
        calls = 0

        def sample(self, n, rng):
            Model.calls += 1
            return self.buffer[:, :n].fill_(self.calls)

    samples = draw(Model(), DATASETS.get("circle")(), 10, Rng([0]))[0, :, 0]
    assert len(set((samples / samples[0]).round().tolist())) == 3


def test_a_data_set_that_fills_one_buffer_with_all_splits_is_refused():
    class Planted(Dataset):
        name = "planted"
        spec = DATASETS.get("ring")().spec
        buffer = torch.empty(50, 2)

        def points(self, split):
            return self.buffer.fill_(len(split))

    with pytest.raises(ContractError, match="data set 'planted' needs to leave"):
        Evaluator(Planted(), [], samples=50)


def test_kept_features_of_a_reference_are_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    pictures = (Rng([1]).uniform(40, 1, 8, 8)[0] * 255).byte().numpy()
    numpy.save(tmp_path / "real.npy", pictures[:20])

    def score():
        about = {"metrics": "fid", "features": "random_conv"}
        return evaluate(pictures[20:], tmp_path / "real.npy", **about)["fid"]

    first = score()
    path = next((tmp_path / "references").iterdir())
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x40
    path.write_bytes(bytes(content))
    assert score() == first
    assert path.read_bytes() != bytes(content)


@pytest.mark.parametrize(
    "kind", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", b"%PDF-1.4\n"]
)
def test_a_picture_that_is_a_program_starts_nothing(tmp_path, monkeypatch, kind):
    def start(*arguments, **options):
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", start)
    path = tmp_path / "a.png"
    path.write_bytes(kind)
    for content in (path, kind):
        with pytest.raises(DataError, match="is not an image that Pillow can read"):
            decode(content, "a.png")


def test_weights_that_are_there_are_checked_and_fetched_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    content, fetched = b"weights", []

    def fetch(url, path, hash_prefix=None, progress=True):
        fetched.append(url)
        Path(path).write_bytes(content)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    right = hashlib.sha256(content).hexdigest()
    about = {"url": "https://example.org/w", "offline": False}
    for digest in (right, None):
        fetched.clear()
        name = f"{digest}.pth"
        assert "downloaded" in _weights.download(name, digest=digest, **about)
        assert "checked" in _weights.download(name, digest=digest, **about)
        _weights.cached_file(name).write_bytes(b"weightz")
        assert "downloaded" in _weights.download(name, digest=digest, **about)
        assert len(fetched) == 2
        _weights.cached_file(name).write_bytes(b"weightz")
        with pytest.raises(DataError, match="is damaged"):
            _weights.download(name, digest=digest, url="https://example.org/w", offline=True)
