"""Types of options that are numbers within bounds, each with the words that errors have for it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

#: more than this nothing can be counted to, and no tensor's index can be
LARGEST = 2**31 - 1


def whole(least: int, most: int = LARGEST) -> Any:
    """Returns the bounds of a whole number that is annotated, with the words that errors have for them."""
    words = f"of {least} or more" if most == LARGEST else f"from {least} to {most}"
    return Field(ge=least, le=most, description=f"a whole number {words}")


def above(low: float, most: float) -> Any:
    """Returns the bounds of a number above one and up to another, with the words for them."""
    return Field(gt=low, le=most, description=f"a number above {low:g} and at most {most:g}")


#: how many there are of what cannot be left out: draws, steps, channels
Count = Annotated[int, whole(1)]
#: how many there are of what can be left out
Amount = Annotated[int, whole(0)]
#: how many there are of what has a spread, or is compared with each other
Several = Annotated[int, whole(2)]
#: the widths of layers, perhaps of none
Widths = Annotated[tuple[Count, ...], Field(description="whole numbers of 1 or more")]
#: step sizes, temperatures, scales
Positive = Annotated[float, Field(gt=0, description="a number above 0")]
#: the log of a standard deviation; beyond it single precision holds no square of what is divided by one
LogDeviation = Annotated[float, Field(ge=-30, le=30, description="a number from -30 to 30")]
#: the weight of a term of a loss, which 0 leaves out; a negative one would turn the loss round
Weight = Annotated[float, Field(ge=0, description="a number of 0 or more")]
#: scales of which each has a share, perhaps of none
Scales = Annotated[tuple[Positive, ...], Field(description="numbers above 0")]
#: two deviations
Deviations = Annotated[tuple[Weight, Weight], Field(description="two numbers of 0 or more")]
#: a probability, or a share of the budget
Share = Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]
#: the decay of a running average, or what a layer drops
Decay = Annotated[float, Field(ge=0, lt=1, description="a number of at least 0 and below 1")]
#: the seed of an order that numpy draws
Seed = Annotated[int, Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")]
