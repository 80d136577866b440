"""Learning curves as TensorBoard's event files, one folder a cell."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from genbench.core.errors import SpecError, WriteError
from genbench.store import Record


class EventFiles:
    """Writes curves of records to a folder that TensorBoard reads.

    A cell's folder is `dataset/model-group/seed-N`; what an earlier call wrote there is replaced. Tags are
    `loss/` and the player, or `curve/` and the column; times are those of the training.

    Arguments:
        folder: Where to; it is made if need be.

    Raises:
        SpecError: If the package tensorboard is missing, or the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise SpecError(
                "--tensorboard needs the package tensorboard, which is not installed; "
                "pip install 'genbench[tensorboard]'"
            ) from None
        self.folder, self._writer = folder, SummaryWriter
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SpecError(
                f"--tensorboard needs a folder that can be made, got {folder}: {error.strerror}"
            ) from None

    def place(self, record: Record) -> Path:
        """Returns a cell's folder."""
        spec = record.spec
        dataset, model = (re.sub(r"[^\w-]+", "-", name) for name in (spec.dataset, spec.model))
        return self.folder / dataset / f"{model}-{record.group[:8]}" / f"seed-{spec.seed}"

    def write(self, record: Record) -> None:
        """Writes a record's curve, if it has one.

        Raises:
            WriteError: If the disk does not take it.
        """
        if not record.curve:
            return
        place = self.place(record)
        try:
            for old in place.glob("events.out.tfevents.*"):
                old.unlink()
            with self._writer(str(place)) as writer:
                _add(writer, record)
        except OSError as error:
            raise WriteError(f"--tensorboard cannot write {place}: {error.strerror}") from None


def _add(writer: Any, record: Record) -> None:
    began = datetime.fromisoformat(record.started).timestamp() if record.started else 0.0
    for point in record.curve:
        for kind, values in (("loss", point.losses), ("curve", point.metrics)):
            for name, value in values.items():
                if value is not None:
                    time = began + point.seconds
                    writer.add_scalar(f"{kind}/{name}", value, point.step, walltime=time)
