"""What the rule of verdicts says of planted effects: another answer is another rule, under another name.

`python tests/statistics/test_rule.py` writes rule.json anew, after RULE was raised and declared.
"""

import json
import math
from pathlib import Path

import numpy as np

from genbench.core.effect import Effect, Noise, Scores, compare_best
from genbench.core.rare import RareEvent
from genbench.statistics.contests import estimate
from genbench.statistics.intervals import mean_interval
from genbench.statistics.looks import Looks
from genbench.statistics.null_rows import GOOD, make_bar
from genbench.statistics.verdicts import RULE, judge

FILE = Path(__file__).with_name("rule.json")
HOW_TO = (
    "the judge says something else than the rule of this name did: give RULE in statistics/verdicts.py "
    "the next name, declare in baselines/registrations.json what it replaces and why, add it to WHOLE in "
    "genbench/running/same_terms.py, and run python tests/statistics/test_rule.py"
)


def plant():
    """Groups of effects that are judged together, by name."""
    rng = np.random.default_rng(7)

    def row(n=8, mean=1.0, sd=1.0, shape="normal"):
        drawn = {"normal": rng.normal, "skewed": lambda size: rng.exponential(size=size) - 1}[
            shape
        ]
        return dict(enumerate((mean + sd * drawn(size=n)).tolist()))

    def cells(noise=0.0, rare=(), **about):
        values = {s: math.exp(v) for s, v in row(**about).items()}
        return Scores(values, Noise(log=noise), independent=True, rare=rare)

    def contest(ours, theirs, **about):
        names = "abcdef"
        sides = [
            {f"{side}{names[k]}": cells(**about) for k in range(count)}
            for side, count in (("x", ours), ("y", theirs))
        ]
        gap = compare_best(*sides, "higher", log=True)
        return Effect("gap", gap.values, 0.1, contest=gap)

    failing = row(n=8)
    failing[3] = -math.inf
    return {
        "one row": [Effect("a", row(mean=2.0))],
        "one row, skewed": [Effect("a", row(mean=2.0, shape="skewed"))],
        "one row of sixteen": [Effect("a", row(n=16, mean=0.6))],
        "four rows": [Effect(str(k), row(mean=k)) for k in range(4)],
        "below": [Effect("a", row(mean=-2.0), wanted="below")],
        "alike": [Effect("a", dict.fromkeys(range(8), 1.0), 0.5, resolution=0.1)],
        "a jump": [Effect("a", row(mean=3.0), jump=2.0)],
        "exact": [Effect("a", {0: 1.0}, 0.5, exact=True)],
        "failed": [Effect("a", failing)],
        "two against one": [contest(2, 1)],
        "six against five": [contest(6, 5)],
        "skewed contest": [contest(2, 2, shape="skewed")],
        "noise of a test set": [contest(1, 1, noise=0.3)],
        "five seeds": [Effect("a", row(n=5, mean=9.0))],
        "rare events of a family": [contest(1, 1, rare=[RareEvent(0.05, 3.0, 2.0, -1)])],
    }


def say():
    """What the judge says of all groups, and the bars of null rows."""
    said = {}
    for name, effects in plant().items():
        verdict = judge(effects, looks=Looks(8))
        parts = [[p.outcome, p.decided_at, p.estimate.low, p.estimate.high] for p in verdict.parts]
        wide = [[e.low, e.high] for e in (estimate(effect, 0.99) for effect in effects)]
        said[name] = {"verdict": verdict.outcome, "parts": parts, "at 99 %": wide}
        said[name]["at once"] = judge(effects).outcome
    said["levels of looks"] = [Looks(8).level(look) for look in range(4)]
    interval = mean_interval([0.1, 0.4, 0.2, 0.9, 0.3, 0.2, 0.5, 0.4])
    said["an interval"] = [interval.low, interval.high]
    bars = [make_bar("higher", 1.0, 0.98), make_bar("lower", 0.0, 10.0, error=1.0)]
    said["bars of null rows"] = [GOOD, *([bar.low, bar.high] for bar in bars)]
    return json.loads(json.dumps(said))


def find_differing(old, new, place=""):
    """The places at which two answers differ by more than rounding."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = [(key, old.get(key), new.get(key)) for key in {**old, **new}]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = list(zip(range(len(old)), old, new, strict=True))
    else:
        numbers = all(isinstance(v, float) for v in (old, new))
        alike = math.isclose(old, new, rel_tol=1e-6, abs_tol=1e-9) if numbers else old == new
        return [] if alike else [f"{place}: {old}, now {new}"]
    return [line for key, a, b in pairs for line in find_differing(a, b, f"{place}/{key}")]


def test_the_rule_says_of_planted_effects_what_it_said_when_it_got_its_name():
    kept = json.loads(FILE.read_text())
    assert kept["rule"] == RULE, HOW_TO
    assert find_differing(kept["says"], say()) == [], HOW_TO


def test_the_planted_effects_tell_rules_apart(monkeypatch):
    from genbench.statistics import decisions, moments, null_rows, rooms

    kept = json.loads(FILE.read_text())["says"]
    for module, name, value in (
        (null_rows, "GOOD", 0.8),
        (null_rows, "NEAR", 3.0),
        (decisions, "ALPHA", 0.2),
        (decisions, "LEAST", 4),
        (moments, "SKEW", 0.0),
        (moments, "LONGEST", 1.0),
        (rooms, "UNSEEN", 0.2),
        (rooms, "PRONE", 0.1),
        (rooms, "UNLIKE", 1.0),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, value)
            assert find_differing(kept, say()), f"{module.__name__}.{name}"


if __name__ == "__main__":
    FILE.write_text(json.dumps({"rule": RULE, "says": say()}, indent=1) + "\n")
