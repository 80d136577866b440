"""Which machines' times may be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

#: parts of a record's environment that decide its times
MACHINE = ("cpu", "device", "threads", "workers")
#: how `machine` names the last of them
WORKERS = re.compile(r", workers \d+$")


def machine(environment: Mapping[str, Any]) -> str:
    """Returns what decides times, in words, e.g. "cpu EPYC, device cpu, threads 1"."""
    return ", ".join(f"{key} {environment[key]}" for key in MACHINE if key in environment)


def find_other_parts(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns the parts of an environment that decide times, or None where another has the same."""
    parts = {key: there[key] for key in MACHINE if key in there}
    return parts if any(here.get(key) != part for key, part in parts.items()) else None


def machines_for(unit: str, machines: Iterable[str]) -> list[str]:
    """Returns what must be the same for times in this unit to be compared, of machines in words.

    Calls that are timed between calibrations are as slow as these, however many workers share the
    machine: the number of workers decides absolute times alone.
    """
    if unit != "calibrations":
        return sorted(machines)
    return sorted({WORKERS.sub("", words) for words in machines})
