"""Through Inception with the same weights, `genbench evaluate` gives what torch-fidelity's own verb does."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings

import numpy
import pytest
import torch
from PIL import Image

from genbench.cli import main
from genbench.points.vision import torchvision

pytestmark = pytest.mark.slow
#: torch-fidelity's key, our column and how near it must be; few points leave FID a singular root, where
#: it is off
COMPARED = {
    "frechet_inception_distance": ("fid", {"rel": 1e-4}),
    "kernel_inception_distance_mean": ("kid_subsets", {"abs": 1e-6}),
    "kernel_inception_distance_std": ("kid_subsets_std", {"abs": 1e-6}),
    "inception_score_mean": ("inception_score", {"rel": 1e-6}),
    "inception_score_std": ("inception_score_std", {"rel": 1e-5}),
}


def weights(path):
    """Random weights in the true format."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Empty(FeatureExtractorInceptionV3):
        def load_state_dict(self, *args, **kwargs):
            return None

    torch.save({}, path)
    torch.manual_seed(0)
    state = Empty("x", ["2048"], str(path)).state_dict()
    for name, weight in state.items():
        if weight.dim() == 4:  # so that layers keep the variance of what they are given
            state[name] = torch.randn_like(weight) * (2 / weight[0].numel()) ** 0.5
    torch.save(state, path)
    return str(path)


def ended(function):
    """What a verb prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        function()
    return json.loads(out.getvalue())


def fidelity(monkeypatch, file, first, second, *asked):
    """The numbers that torch-fidelity prints of two folders."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch_fidelity.fidelity import main as verb

        argv = ["fidelity", "--input1", first, "--input2", second, *asked, "--cpu"]
        argv += ["--feature-extractor-weights-path", file, "--json", "--silent", "--no-cache"]
        argv += ["--save-cpu-ram"]
        monkeypatch.setattr(sys, "argv", argv)
        return ended(verb)


def test_images_score_as_under_the_fidelity_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    rng = numpy.random.default_rng(0)
    for side, high in (("real", 256), ("fake", 200)):
        (tmp_path / side).mkdir()
        for k in range(10):
            pixels = rng.integers(0, high, (16, 16, 3), dtype=numpy.uint8)
            Image.fromarray(pixels).save(tmp_path / side / f"{k}.png")
    torchvision()
    file = weights(tmp_path / "weights.pth")
    asked = ["--fid", "--isc", "--kid", "--kid-subset-size", "5"]
    theirs = fidelity(monkeypatch, file, "fake", "real", *asked)
    names = ["evaluate", "fake", "-r", "real", "--features", "inception-v3-compat", "--json"]
    names += ["--weights", file, "--metrics", "fid,kid,inception_score"]
    ours = ended(lambda: main(names))
    for key, (column, tolerance) in COMPARED.items():
        assert ours["metrics"][column]["value"] == pytest.approx(theirs[key], **tolerance), key
    # the subsets are smaller than torch-fidelity's own
    same = {"frechet_inception_distance", "inception_score_mean", "inception_score_std"}
    assert set(ours["aliases"]) == same
