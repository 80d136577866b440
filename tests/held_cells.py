"""Cells of a results folder that another process has in hand."""

import hashlib
import subprocess
import sys
from contextlib import contextmanager

HOLD = """
import sys
from pathlib import Path
from genbench.store.locks import Locks
with Locks(Path(sys.argv[1])) as locks:
    print(all([locks.take(cell) for cell in sys.argv[2:]]), flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(root, *cells):
    """Cells are in the hands of another process."""
    command = [sys.executable, "-c", HOLD, str(root), *cells]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout.readline() == "True\n"
        yield
        other.kill()


def held_file(path):
    """A file that is read, changed and written is in the hands of another process."""
    return held(path.parent, hashlib.sha256(path.name.encode()).hexdigest())
