"""What measurements were asked by: metric options, number of points and extractor, found again by their keys.

A record holds of a request its key, a hash of all that was asked. What the protocol says, and a search over
numbers of points, give requests of which the one with that key is the right one, so that nothing is guessed.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from genbench.core import options
from genbench.core.errors import GenbenchError
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS, Metric
from genbench.core.spec import Part, canonical
from genbench.evaluation.extractors import features_key
from genbench.evaluation.requests import describe_code, looks_through
from genbench.store import Measurement

#: numbers of points that are usual, and the largest that is looked for
USUAL, MOST = (10_000, 2000, 1000, 500, 2500, 5000, 26_000, 0), 50_000
#: how many combinations of options are tried
COMBINATIONS = 64
#: what was found, by metric, version and key, which protocols of all seeds share
_found: dict[tuple[str, int, str], Asked] = {}


@dataclass(frozen=True)
class Asked:
    """What a measurement was asked by.

    Arguments:
        options: The metric's options that are not its defaults, as JSON.
        samples: The largest number of points compared.
        features: The extractor, or None for what suits the data set.
    """

    options: str
    samples: int
    features: str | None = None

    def to_part(self, metric: str) -> Part:
        """Returns the metric as a suite names it."""
        return Part(name=metric, options=json.loads(self.options))


def find_asked(measurement: Measurement) -> Asked | None:
    """Returns what a measurement was asked by, or None where no request that is tried has its key."""
    m = measurement
    name = m.metric, m.version, m.key
    if name not in _found:
        asked = _find(*name, m.protocol, m.n_fake)
        if asked is None:
            return None
        _found[name] = asked
    return _found[name]


@lru_cache(maxsize=4096)
def _find(name: str, version: int, key: str, protocol: str, count: int | None) -> Asked | None:
    if not key or name not in METRICS:
        return None
    try:
        metric = METRICS.get(name)
        candidates = list(_list_options(metric, protocol))
    except GenbenchError:  # a plugin of another machine, or one that is broken
        return None
    usual = [n for n in dict.fromkeys((count, *USUAL)) if n is not None]
    extractors: dict[str | None, str | None] = {None: None}
    if looks_through(metric):
        extractors |= {features_key(Part(name=name)): name for name in EXTRACTORS.names()}
    for numbers in (usual, range(1, MOST + 1)):
        for features, values in itertools.product(extractors, candidates):
            samples = _search(metric, version, key, values, features, numbers)
            if samples is not None:
                return Asked(_write_own(metric, values), samples, extractors[features])
    return None


def _write_own(metric: Metric, values: Mapping[str, Any]) -> str:
    """Options that are not a metric's defaults, as JSON."""
    usual = metric.options
    return canonical({k: v for k, v in values.items() if canonical(v) != canonical(usual[k])})


def _search(
    metric: Metric,
    version: int,
    key: str,
    values: dict[str, Any],
    features: str | None,
    numbers: Sequence[int],
) -> int | None:
    """The number of points with which a request has a key, hashed as `MetricRequest.key` does."""
    request = {"metric": metric.name, "version": version, "options": values, "features": features}
    request |= describe_code(metric)
    head, tail = canonical(request | {"samples": "#"}).split('"samples":"#"')
    begun = hashlib.sha256(f'{head}"samples":'.encode())
    for samples in numbers:
        digest = begun.copy()
        digest.update(f"{samples}{tail}".encode())
        if digest.hexdigest()[:12] == key:
            return samples
    return None


def _list_options(metric: Metric, protocol: str) -> Iterator[dict[str, Any]]:
    """All options of a metric: its defaults, and whatever else its protocol names, in all combinations."""
    usual = metric.options
    choices = [[value, *_read(protocol, option)] for option, value in usual.items()]
    for chosen in itertools.islice(itertools.product(*choices), COMBINATIONS):
        own = {
            k: v for (k, default), v in zip(usual.items(), chosen, strict=True) if v is not default
        }
        try:
            values = options.resolve(metric.function, own, who=f"metric {metric.name}")
        except GenbenchError:  # what was really used need not be what can be asked
            continue
        values.pop("rng", None)
        yield values


def _read(protocol: str, option: str) -> list[Any]:
    """The value that a protocol has for an option, as it stands there."""
    found = re.search(rf"(?:^|, ){re.escape(option)}=(.*?)(?=, \w+=|$)", protocol)
    if found is None:
        return []
    try:
        return [ast.literal_eval(found[1])]
    except (ValueError, SyntaxError):
        return [found[1]]
