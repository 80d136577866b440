"""Imports point down, plugins stand alone, machinery knows no plugin, nothing unsafe is called."""

import ast
import sys
from pathlib import Path

import pytest

import genbench

ROOT = Path(genbench.__file__).parent
PLUGINS = ("datasets", "features", "models", "metrics", "claims")
ORDER = [
    ("core",),
    ("points",),
    ("nn",),
    ("families",),
    ("training",),
    ("statistics",),
    ("experiments",),
    PLUGINS,
    ("store",),
    ("evaluation",),
    ("running",),
    ("executors",),
    ("contracts",),
    ("report",),
    ("api",),
    ("cli",),
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
TOP = ("__init__", "__main__")
FILES = sorted(ROOT.rglob("*.py"))
#: global draws and seeds of torch, numpy and random
GLOBAL_RNG = {
    "torch.manual_seed",
    "torch.seed",
    "torch.set_rng_state",
    "torch.cuda.manual_seed",
    "torch.cuda.manual_seed_all",
    "torch.rand_like",
    "torch.randn_like",
    "torch.randint_like",
}
WITH_GENERATOR = {"rand", "randn", "randint", "randperm", "bernoulli", "multinomial", "normal"}
IN_PLACE = {
    "normal_",
    "uniform_",
    "bernoulli_",
    "random_",
    "exponential_",
    "log_normal_",
    "cauchy_",
}


def layer(module):
    """The layer of a dotted module of genbench, or None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def own_module(path):
    return ".".join(("genbench", *path.relative_to(ROOT).with_suffix("").parts))


def imports(tree):
    """Every module of genbench that a tree imports, however deep inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("genbench"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            if (node.module or "").partition(".")[0] == "genbench":
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    where = ROOT.joinpath(*inner.split(".")[1:])
                    known = where.is_dir() or where.with_suffix(".py").is_file()
                    yield inner if known else node.module


UNSAFE = (
    "torch.load",
    "torch.save",
    "eval",
    "exec",
    "yaml.load",
)
#: published weights come in torch's own format; the constructor of Inception reads no other
LICENSED = {
    ("genbench.features._weights", "calls torch.load with tensors alone"),
    ("genbench.features.inception_v3_compat", "calls torch.save"),
    # users bring tensors in that format too
    ("genbench.points.tensors", "calls torch.load with tensors alone"),
    # what a plugin makes of the global generator shows only where that is set
    ("genbench.contracts.models", "draws from a global generator: torch.manual_seed"),
}


def problems(path, source):
    """What a file does that it must not, one sentence each."""
    tree, module = ast.parse(source), own_module(path)
    own = layer(module)
    found = [f"{module}: {what}" for what in unsafe(tree) if (module, what) not in LICENSED]
    if own in TOP:
        return found
    for target in imports(tree):
        other = layer(target)
        if other is None:
            continue  # the package itself: its version
        if RANK[other] > RANK[own]:
            found.append(f"{module} imports up: {target}")
        if own in PLUGINS and other in PLUGINS and other != own:
            found.append(f"{module} imports another plugin folder: {target}")
        if own not in PLUGINS and other in PLUGINS and len(target.split(".")) > 2:
            found.append(f"{module} names a plugin: {target}")
        folder, _, name = target.rpartition(".")
        if name.startswith("_") and other in PLUGINS and not module.startswith(f"{folder}."):
            found.append(f"{module} imports another folder's {target}")
    return found


def unsafe(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            yield from (
                f"imports {n}" for n in names if n in ("pickle", "dill", "joblib", "random")
            )
        if not isinstance(node, ast.Call):
            continue
        name, keywords = ast.unparse(node.func), {k.arg: k.value for k in node.keywords}
        allowed = keywords.get("allow_pickle")
        if allowed is not None and not (
            isinstance(allowed, ast.Constant) and allowed.value is False
        ):
            yield f"{name} with allow_pickle"
        if name in UNSAFE:
            plain = getattr(keywords.get("weights_only"), "value", None) is True
            yield f"calls {name}" + (" with tensors alone" if plain else "")
        if name in GLOBAL_RNG or _legacy(name):
            yield f"draws from a global generator: {name}"
        head, _, last = name.rpartition(".")
        wants = (head == "torch" and last in WITH_GENERATOR) or last in IN_PLACE
        if wants and "generator" not in keywords:
            yield f"draws without a generator: {name}"


def _legacy(name):
    """Whether a call is to numpy's or Python's global generator."""
    head, _, last = name.replace("np.random", "numpy.random").rpartition(".")
    return head == "random" or (
        head == "numpy.random" and last not in ("default_rng", "RandomState")
    )


@pytest.mark.parametrize("path", sorted((ROOT / "core").glob("*.py")), ids=own_module)
def test_core_needs_torch_and_pydantic_alone(path):
    allowed = {*sys.stdlib_module_names, "genbench", "torch", "pydantic"}
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [a.name for node in nodes if isinstance(node, ast.Import) for a in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} <= allowed


def test_every_folder_has_a_layer():
    names = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES}
    assert names == {*RANK, *TOP}


@pytest.mark.parametrize("path", FILES, ids=own_module)
def test_imports_and_calls(path):
    assert problems(path, path.read_text()) == []


@pytest.mark.parametrize(
    ("where", "source", "what"),
    [
        ("core/x.py", "from genbench.running.driver import plan", "imports up"),
        ("core/x.py", "def f():\n    import genbench.nn.mlp", "imports up"),
        ("models/x.py", "from genbench.metrics.fid import fid", "another plugin folder"),
        ("running/x.py", "from genbench.models.flow import realnvp", "names a plugin"),
        ("cli/x.py", "import genbench.metrics.fid", "names a plugin"),
        ("models/flow/x.py", "from genbench.models.energy._y import f", "another folder's"),
        ("nn/x.py", "import pickle", "imports pickle"),
        ("nn/x.py", "torch.load(p)", "torch.load"),
        ("nn/x.py", "numpy.load(p, allow_pickle=True)", "allow_pickle"),
        ("nn/x.py", "torch.manual_seed(0)", "global generator"),
        ("nn/x.py", "torch.randn(3)", "without a generator"),
        ("nn/x.py", "x.normal_()", "without a generator"),
    ],
)
def test_the_check_sees_breaches(where, source, what):
    found = problems(ROOT / where, source)
    assert len(found) == 1, found
    assert what in found[0]


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("running/x.py", "from genbench.core.model import MODELS"),
        ("models/x.py", "from genbench.models.flow import realnvp"),
        ("models/flow/x.py", "from genbench.models.flow._y import f"),
        ("nn/x.py", "torch.randn(3, generator=g)"),
        ("core/x.py", "numpy.load(p, allow_pickle=False)"),
    ],
)
def test_the_check_lets_honest_code_pass(where, source):
    assert problems(ROOT / where, source) == []


def test_no_two_files_of_tests_have_one_name():
    """Run in one go, pytest takes the second for the first and ends before any test."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert [name for name in {*names} if names.count(name) > 1] == []
