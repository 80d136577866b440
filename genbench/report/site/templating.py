"""What all pages share: the template engine, safe JSON and the names of files."""

from __future__ import annotations

import hashlib
import json
import math
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from genbench.report.text import counted, number, rank_text

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

PLOTLY = "plotly.min.js"
#: the longest text of a record that a page shows in full where many rows stand together
LONG = 2000
#: where labels may be broken: behind what joins words
PIECES = re.compile(r"(?<=[_=/:])(?! )")


@lru_cache
def make_engine() -> Environment:
    """Returns the engine that fills templates; all text is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    engine = Environment(
        loader=PackageLoader("genbench.report.site"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    engine.filters["number"] = number
    engine.filters["counted"] = counted
    engine.filters["plain"] = to_plain_json
    engine.filters["shorten"] = shorten
    engine.filters["breakable"] = to_breakable
    engine.filters["longest_piece"] = count_longest
    engine.filters["sortable"] = lambda value: "" if value is None else f"{value:.7g}"
    engine.filters["claim_page"] = lambda id: file_name("claim", id)
    engine.globals["rank"] = rank_text
    return engine


def render(template: str, **values: Any) -> bytes:
    """Returns a filled template."""
    return make_engine().get_template(template).render(**values).encode()


def to_plain_json(value: Any) -> str:
    """Returns JSON as text for readers, cut where it is very long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONG else text[:LONG] + "…"


def shorten(label: str, most: int = 28) -> str:
    """Returns a label that fits into a narrow column, cut where it is longer."""
    return label if len(label) <= most else label[: most - 1] + "…"


def to_breakable(label: str) -> Markup:
    """Returns a label that a narrow column breaks between words, e.g. behind "_" and "="."""
    from markupsafe import Markup

    return Markup("<wbr>").join(PIECES.split(label))


def count_longest(label: str) -> int:
    """Returns the letters of the longest piece of a label that is not broken."""
    return max((len(word) for piece in PIECES.split(label) for word in piece.split()), default=0)


def read_asset(name: str) -> str:
    """Returns a file of the templates' folder as it is."""
    return (files("genbench.report.site") / "templates" / name).read_text(encoding="utf-8")


def read_plotly() -> bytes:
    """Returns plotly's script from its package."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().encode()


def embed(value: Any) -> Markup:
    """Returns JSON that cannot end the script element it stands in; what is not finite is null."""
    from markupsafe import Markup

    safe = json.dumps(finite(value), separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        safe = safe.replace(sign, code)
    return Markup(safe)


def finite(value: Any) -> Any:
    """Returns a tree of values with None in place of numbers that JSON lacks."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    return [finite(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def file_name(kind: str, name: str) -> str:
    """Returns the name of a page, e.g. "model-gan.html".

    Two names never share a file, on file systems that ignore case either: whatever is not plain small
    letters, digits, "_" and "-" is replaced, and a digest of the whole name is added.
    """
    slug = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:40]
    if slug != name:
        slug = f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".strip("-")
    return f"{kind}-{slug}.html"
