"""What `import genbench` offers, and that neither it nor a refused command loads torch."""

import subprocess
import sys

import pytest

import genbench

PUBLIC = [
    "Autoregressive",
    "Batch",
    "Claim",
    "Classifier",
    "Conditional",
    "DataSpec",
    "Dataset",
    "Density",
    "Encoder",
    "GenbenchError",
    "Inpainter",
    "MarkovChain",
    "Model",
    "Player",
    "Reconstructor",
    "Rng",
    "Score",
    "Truth",
    "__version__",
    "claim",
    "dataset",
    "extractor",
    "metric",
    "model",
    "results",
]
#: runs the command line and then says whether torch came along
PROBE = """
import sys
from genbench.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code or 0
print("torch" in sys.modules, file=sys.stderr)
sys.exit(code)
"""


def python(*args):
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, timeout=60)


def test_public_names_are_pinned():
    assert sorted(genbench.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_resolves(name):
    assert getattr(genbench, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Modle'"):
        _ = genbench.Modle


def test_import_is_light():
    done = python("-c", "import genbench, sys; sys.exit(int('torch' in sys.modules))")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--help"], 0, "Compare families"),
        (["--version"], 0, genbench.__version__),
        (["run", "--help"], 0, "--checkpoint-every"),
        (["rnu"], 2, "did you mean 'run'"),
        (["run", "demo", "-m", "gam"], 2, "unknown model 'gam'; did you mean 'gan'"),
        (["run", "dmeo"], 2, "unknown suite 'dmeo'; did you mean 'demo'"),
        (["run", "--sedes", "3"], 2, "--seeds"),
        (["run", "--help"], 0, "inline|processes|ray"),
        (["run", "--executor", "inlin"], 2, "unknown executor 'inlin'; did you mean 'inline'"),
    ],
)
def test_the_command_line_answers_without_torch(args, code, said):
    done = python("-c", PROBE, *args)
    told = done.stdout + done.stderr
    assert done.returncode == code, told
    assert said in told
    assert "Traceback" not in told
    assert done.stderr.splitlines()[-1] == "False"
