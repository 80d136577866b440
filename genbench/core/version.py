"""The version, and where the package lies."""

from pathlib import Path

__version__ = "0.1.0"
#: the folder of the package
PACKAGE = Path(__file__).parents[1]
