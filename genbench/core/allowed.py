"""Types of options that are numbers within bounds, each with the words that errors have for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

#: how many there are of what cannot be left out: draws, steps, channels
Count = Annotated[int, Field(ge=1, description="a whole number of 1 or more")]
#: how many there are of what can be left out
Amount = Annotated[int, Field(ge=0, description="a whole number of 0 or more")]
#: the widths of layers, perhaps of none
Widths = Annotated[tuple[Count, ...], Field(description="whole numbers of 1 or more")]
#: step sizes, temperatures, scales
Positive = Annotated[float, Field(gt=0, description="a number above 0")]
#: the weight of a term of a loss, which 0 leaves out; a negative one would turn the loss round
Weight = Annotated[float, Field(ge=0, description="a number of 0 or more")]
#: two deviations
Deviations = Annotated[tuple[Weight, Weight], Field(description="two numbers of 0 or more")]
#: a probability, or a share of the budget
Share = Annotated[float, Field(ge=0, le=1, description="a number from 0 to 1")]
#: the decay of a running average
Decay = Annotated[float, Field(ge=0, lt=1, description="a number of at least 0 and below 1")]
#: the seed of an order that numpy draws
Seed = Annotated[int, Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")]
