"""Whether parts and runs of two registrations are the same: by fields that count for the rules of both."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import Any

from genbench.running.planted import UNREADABLE

#: what was added to parts by a later rule: of no account where the registration is of an earlier one
BY_RULE = ("by_definition", "exact", "jump", "resolution")
#: the rules whose registrations hold it, each replaced by the next
WHOLE = ("judge/2", "judge/3", "judge/4", "judge/5", "judge/6", "judge/7")
#: what a rule makes of the same evidence otherwise than those before: of no account from them to it
MADE_ANEW = {"judge/7": "made_of_intervals"}
#: what registrations hold since 2026-11-29, or later: of no account where an older one does not
RECENT = (
    "made_of",
    "made_of_extremes",
    "tuned_options",
    "resolved",
    "measured",
    "exempted",
    "made_of_intervals",
    "errors",
    "extractors",
    "rare",
)


def has_content(part: Mapping[str, Any]) -> bool:
    """Returns whether a registration says what a part is made of, by which it is known at other places."""
    return part.get("made_of", UNREADABLE) != UNREADABLE


def is_part(old: Mapping[str, Any], new: Mapping[str, Any], ignored: Collection[str] = ()) -> bool:
    """Returns whether a part is one that was registered, but for its wording and fields that do not count."""
    return not differing(old, new, {"effect", *ignored})


def list_ignored(old: str, new: str) -> frozenset[str]:
    """Returns the fields of parts in which registrations by two rules may differ, though parts do not."""
    if old == new:
        return frozenset()
    places = sorted(WHOLE.index(rule) if rule in WHOLE else -1 for rule in (old, new))
    ignored = {
        MADE_ANEW[rule] for rule in WHOLE[places[0] + 1 : places[1] + 1] if rule in MADE_ANEW
    }
    return frozenset(ignored | (set(BY_RULE) if places[0] < 0 else set()))


def differing(
    old: Mapping[str, Any], new: Mapping[str, Any], leave_out: Container[str] = ()
) -> set[str]:
    """Returns the fields that differ, but for what an older registration does not hold."""
    new = drop_recent(new, old)
    names = {**old, **new}
    return {n for n in names if n not in leave_out and old.get(n) != new.get(n)}


def drop_recent(new: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
    """Returns terms without what registrations did not use to hold, where an older one does not hold it."""
    return {name: value for name, value in new.items() if name in old or name not in RECENT}
