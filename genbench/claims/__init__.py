"""One file per claim. Called, as `genbench.claims()`, the package returns what the claims' verdicts are."""

import importlib
import sys
from types import ModuleType
from typing import Any


class _Claims(ModuleType):
    """The package, which Python binds to the very name under which the front door has its function."""

    def __call__(self, *names: str, **options: Any) -> Any:
        """Returns `genbench.api.claims` of the same arguments."""
        return importlib.import_module("genbench.api").claims(*names, **options)


sys.modules[__name__].__class__ = _Claims
