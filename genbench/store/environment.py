"""What a number was measured on."""

from __future__ import annotations

import importlib.util
import json
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None

from genbench.core.version import __version__
from genbench.store.git import ask_git


def environment(device: torch.device, workers: int = 1) -> dict[str, Any]:
    """Returns versions, machine, device, threads and determinism, for a record.

    `workers` is how many jobs shared the machine: with more than one, times are of a busy machine.
    """
    return {
        "genbench": __version__,
        "git": running_commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(terse=True),
        "cpu": _cpu(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "workers": workers,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def now() -> str:
    """Returns the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def reset_peak_memory(device: torch.device) -> None:
    """Starts a new measurement of peak memory; on systems without /proc the old one goes on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory(device: torch.device) -> int | None:
    """Returns bytes: allocated on the GPU, or resident in the whole process on the CPU; None if unknown."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError, ValueError):
        if resource is None:
            return _windows_peak()
        scale = 1 if sys.platform == "darwin" else 1024
        return scale * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _windows_peak() -> int | None:
    """The peak of the process's working set, or None where psutil, which pip installs there, is missing."""
    if importlib.util.find_spec("psutil") is None:
        return None
    psutil = importlib.import_module("psutil")
    return getattr(psutil.Process().memory_info(), "peak_wset", None)


@cache
def running_commit() -> str | None:
    """Returns the commit that genbench was installed from or runs from, with a + if its tree was changed."""
    return find_commit(Path(__file__)) or _installed_commit()


def find_commit(file: Path) -> str | None:
    """Returns the commit of the repository that tracks a file; None where it merely lies in one."""
    if ask_git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    return ask_git(file.parent, "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*")


def _installed_commit() -> str | None:
    """The commit that an installer wrote down (PEP 610), where it installed from a repository."""
    try:
        text = distribution("genbench").read_text("direct_url.json")
        commit = json.loads(text or "{}").get("vcs_info", {}).get("commit_id")
    except (PackageNotFoundError, ValueError, AttributeError):
        return None
    return commit[:12] if isinstance(commit, str) else None


@cache
def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
