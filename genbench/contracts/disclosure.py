"""What plugins must say of themselves, so that nobody reads their numbers for more than they are."""

from __future__ import annotations

from collections.abc import Sequence

from genbench.contracts.rules import Broken, Case, expect, expect_tensor, rule
from genbench.contracts.small import find_variants, make, on_first
from genbench.core.errors import ContractError, DataError
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.model import MODELS
from genbench.training.honesty import check_networks


def on_losses(name: str) -> Sequence[Case]:
    """Returns one data set, and the variants of a translator whose losses may look through a network."""
    variants = (find_variants(name, option) for option in ("loss", "content"))
    return [*on_first(name), *(case for cases in variants for case in cases)]


@rule("model", on_losses)
def a_trained_network_in_the_loss_is_named(name: str, data: str) -> None:
    """A model with a `Frozen` network names its extractor in `loss_networks`; that does not judge it."""
    try:
        model, _ = make(name, data, [0])
    except DataError:  # the network's weights are not here
        return
    names, known = model.loss_networks, EXTRACTORS.names()
    strange = sorted(set(names) - set(known))
    expect(
        not strange,
        f"loss_networks may name {', '.join(known)}; got {', '.join(strange)}; name the registered extractor",
    )
    try:
        check_networks(model)
    except ContractError as error:
        raise Broken(str(error)) from None


@rule("model", on_first)
def what_records_hold_is_one_number_per_seed(name: str, data: str) -> None:
    """`recorded` names buffers of shape (S,) that are part of the model's state."""
    model, _ = make(name, data, [0, 1])
    state = model.state_dict()
    for key in MODELS.get(name).recorded:
        expect(
            key in state, f"recorded may name stored buffers, {key!r} is none; register_buffer it"
        )
        expect_tensor(state[key], f"the recorded {key}", (2,), fix="one number per seed")


@rule("metric")
def what_it_is_read_beside_is_known(name: str) -> None:
    """`beside` names other metrics, `networks` extractors, and a column's `beside` columns of its own."""
    entry = METRICS.get(name)
    _expect_known("beside", entry.beside, set(METRICS.names()) - {name}, "other metrics")
    _expect_known("networks", entry.networks, set(EXTRACTORS.names()), "registered extractors")
    for id, column in entry.columns.items():
        others = set(entry.columns) - {id}
        _expect_known(f"{id}'s beside", column.beside, others, "other columns of the metric")


def _expect_known(what: str, names: Sequence[str], known: set[str], kind: str) -> None:
    expect(isinstance(names, tuple), f"{what} needs a tuple of names, got {names!r}; make it one")
    strange = sorted(set(names) - known)
    listed = ", ".join(sorted(known)) or "none"
    expect(not strange, f"{what} may name {kind} ({listed}); got {', '.join(map(str, strange))}")
