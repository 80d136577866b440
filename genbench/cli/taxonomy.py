"""The tree of generative models, after the tutorial's Figure 9, with what each family can and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Group
    from rich.tree import Tree

    from genbench.core.dataset import DataSpec
    from genbench.core.model import Model

#: the tree's order: explicit before implicit, direct before approximate
ORDER = (
    "explicit/tractable/fully visible",
    "explicit/tractable/change of variables",
    "explicit/approximate/variational",
    "explicit/approximate/markov chain",
    "implicit/markov chain",
    "implicit/direct",
    "reference",
)
#: heading and key of every column
COLUMNS = (
    ("model", "name"),
    ("likelihood", "likelihood"),
    ("steps", "sequential_steps"),
    ("latent", "latent"),
    ("chain", "chain"),
    ("labels", "conditional"),
    ("paper", "paper"),
)


#: the ability to tell a point's density given its source
CONDITIONAL = "conditional_density"
#: the width of every column but the last in 80 columns
WIDTHS = (18, 10, 21, 6, 5, 6)


def rows() -> list[dict[str, Any]]:
    """Returns one object per model in the tree's order: what it declares, and what follows from it.

    Beyond `core.catalogue.describe`: `likelihood` (exact, lower, estimate, given: that of a point given
    its source alone, or none), `sequential_steps` (a number, or a formula in D, the number of
    coordinates), `latent` (free: an option sets its dimension, or the number of hidden units; D: as many
    as coordinates; none), `chain` and `conditional`.
    """
    from genbench.core.catalogue import describe
    from genbench.core.model import MODELS

    models = []
    for cls in MODELS.all().values():
        about = describe(cls)
        abilities = about["abilities"]
        models.append(
            {
                **about,
                "likelihood": about["density"]
                or ("given" if CONDITIONAL in abilities else "none"),
                "sequential_steps": sequential_steps(cls),
                "latent": latent(about),
                "chain": "markov_chain" in abilities,
                "conditional": "conditional" in abilities,
            }
        )
    return sorted(
        models, key=lambda row: (ORDER.index(row["taxonomy"]), row["year"] or 0, row["name"])
    )


def latent(about: dict[str, Any]) -> str:
    """Returns whether the dimension of a model's code may be chosen, from its options and its place."""
    if "latent" in about["options"] or about["taxonomy"] == "explicit/approximate/markov chain":
        return "free"
    whole = about["taxonomy"] == "explicit/tractable/change of variables"
    return "D" if whole or about["family"] == "diffusion" else "none"


def sequential_steps(cls: type[Model]) -> str:
    """Returns the number of network evaluations in sequence for a sample, by building two sizes."""
    from genbench.core.guard import blamed
    from genbench.core.model import build
    from genbench.core.rng import Rng

    for pair in pairs():
        with blamed(f"model {cls.name!r}", cls):
            if any(cls.refuses(spec) for spec in pair):
                continue
            (small, a), (large, b) = (
                (spec.size, build(cls.name, spec, Rng([0])).sequential_steps()) for spec in pair
            )
        if a == b:
            return str(a)
        if a * large == b * small:
            return "D" if a == small else f"{a / small:g} D"
        return f"{a} at D = {small}, {b} at D = {large}"
    return "–"


def pairs() -> list[tuple[DataSpec, DataSpec]]:
    """Returns two sizes of every kind of data, the smaller first, some of them made from images or words."""
    from genbench.core.dataset import DataSpec

    def both(sizes: list[tuple[int, ...]], **about: Any) -> tuple[DataSpec, DataSpec]:
        first, second = (DataSpec("example", size, **about) for size in sizes)
        return first, second

    grey = {"range": (0.0, 1.0), "levels": 17, "classes": 10}
    small = DataSpec("source", (1, 4, 4), range=(0.0, 1.0), levels=17)
    words = DataSpec("source", (4,), kind="tokens", tokens=5)
    half = {side: DataSpec("source", (2, side, side), range=(0.0, 1.0)) for side in (8, 16)}
    holed = [
        DataSpec("example", (1, side, side), **grey, source=source, hole=((2, 6), (2, 6)))
        for side, source in half.items()
    ]
    return [
        both([(2,), (3,)]),
        both([(4,), (8,)], kind="binary"),
        both([(1, 8, 8), (1, 16, 16)], **grey),
        both([(4,), (8,)], kind="tokens", tokens=5),
        both([(1, 8, 8), (1, 16, 16)], **grey, source=small),
        both([(1, 8, 8), (1, 16, 16)], **grey, source=words),
        both([(4,), (8,)], kind="tokens", tokens=5, source=small),
        (holed[0], holed[1]),
        both([(32,), (64,)], range=(0.0, 1.0), levels=16),
    ]


def tree(models: list[dict[str, Any]]) -> Tree:
    """Returns the taxonomy as a tree for the terminal, one line per model under its branch's heading."""
    from rich.table import Table
    from rich.tree import Tree

    root = Tree("[bold]generative models[/bold]")
    branches: dict[str, Tree] = {"": root}
    for place, inside in by_place(models):
        path = ""
        for part in place.split("/"):
            parent, path = branches[path], f"{path}/{part}"
            if path not in branches:
                branches[path] = parent.add(f"[bold]{part}[/bold]")
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading, key in COLUMNS[:-1]:
            wide = max(len(show(row[key])) for row in models)
            table.add_column(heading, min_width=max(wide, len(heading)), no_wrap=True)
        table.add_column(COLUMNS[-1][0], overflow="fold")
        for row in inside:
            table.add_row(*(show(row[key]) for _, key in COLUMNS))
        branches[path].add(table)
    return root


def flat(models: list[dict[str, Any]]) -> Group:
    """Returns the same for terminals of 80 columns: a table per branch under its path, without papers."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = []
    for place, inside in by_place(models):
        parts.append(Text(" / ".join(place.split("/")), style="bold"))
        table = Table(box=None, pad_edge=False, header_style="dim", show_header=len(parts) == 1)
        for (heading, _), wide in zip(COLUMNS[:-1], WIDTHS, strict=True):
            table.add_column(heading, min_width=wide, max_width=wide, overflow="fold")
        for row in inside:
            table.add_row(*(show(row[key]) for _, key in COLUMNS[:-1]))
        parts.append(Padding(table, (0, 0, 0, 2)))
    return Group(*parts)


def by_place(models: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yields the branches of the tree that have models, in order."""
    for place in ORDER:
        inside = [row for row in models if row["taxonomy"] == place]
        if inside:
            yield place, inside


def show(value: Any) -> str:
    """Returns a value as the tree shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
