"""Moments as files write them: ISO 8601, in UTC where no zone is named, "" where nobody noted it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator


def _check_moment(text: str) -> str:
    # years that have room on both sides for any zone and any clock
    if text and not 1970 <= datetime.fromisoformat(text).year < 9999:
        raise ValueError(f"a time needs to lie between 1970 and 9998, got {text[:40]!r}")
    return text


#: a moment in ISO 8601, or "" where nobody noted it
Moment = Annotated[str, AfterValidator(_check_moment)]


def moment(text: str) -> datetime:
    """Returns the moment that is written as ISO 8601; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def to_minute(text: str) -> str:
    """Returns a moment in UTC as sentences have it, to the minute."""
    return moment(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def earliest(times: Iterable[str | None]) -> str | None:
    """Returns the first of moments, None where nobody noted any."""
    return min((time for time in times if time), key=moment, default=None)


def is_later(one: str, other: str) -> bool:
    """Returns whether a moment is after another; one that nobody noted is before all."""
    return bool(one) and (not other or moment(one) > moment(other))
