"""How often one run in many lies far off its like; writes baselines/rare_events.json.

Runs that differ by their seed alone are compared with their median. One that is off by more than five
standard deviations, which are estimated from the median absolute deviation and are at least a hundredth of
the median, is a rare event of its family on that data set, unless more than a tenth of the family's runs are
so far off to that side. Both sides are counted apart. Runs that were scored by two protocols count by the
one that most seeds of their setting were measured by. Failed and diverged runs are no events: verdicts count
them as the worst.

    python tests/proof/rare_events.py [-o results] [--to baselines/rare_events.json]
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median

from genbench.core.catalogue import family_of
from genbench.core.rare import log_size
from genbench.running.measured_noise import name_data_set
from genbench.store import Store
from genbench.store.documents import reviewable
from genbench.store.rare_events import FILE, RareEvents
from genbench.store.record import OF_TIME

#: fewer seeds than this do not tell how much seeds usually vary
LEAST = 8
#: so many standard deviations are no chance
FAR = 5.0
#: a median absolute deviation of normal values, in standard deviations
NORMAL = 1.4826
#: what more of the runs do than this share is no rare event, but how they vary
RARE = 0.1
#: values that differ by a smaller share of their size than this are as good as alike
ALIKE = 0.01
ABOUT = (
    f"runs of {{groups}} settings with at least {LEAST} completed seeds: those that are off their "
    f"median by more than {FAR:g} standard deviations, {NORMAL:g} median absolute deviations each and at "
    f"least {ALIKE:g} of the median"
)


def find_events(values, side):
    """Sizes of rare events to a side, 1 above or -1 below, as they are and as logarithms."""
    middle = median(values)
    usual = NORMAL * median(abs(v - middle) for v in values)
    bar = FAR * max(usual, ALIKE * abs(middle))
    far = [v for v in values if side * (v - middle) > bar > 0]
    return [(abs(v - middle), log_size(middle, v)) for v in far]


def collect(store):
    """Values by data set, family and column, then by setting: the scores of completed runs on test points.

    Times are left out, which tell what else the machine did.
    """
    rows = defaultdict(lambda: defaultdict(list))
    for record in store.records():
        if record.status != "ok":
            continue
        data = name_data_set(record.spec.dataset, record.spec.dataset_options)
        family = family_of(record.spec.model, record.taxonomy, record.family)
        for m in record.metrics:
            if m.split == "test" and m.value is not None and m.unit not in OF_TIME:
                rows[data, family, m.id][record.group, m.key].append(m.value)
    return rows


def choose_protocols(groups):
    """Values by setting, of the protocol that most seeds were measured by, so that each run counts once."""
    chosen = {}
    for (group, _), values in sorted(groups.items()):
        if len(values) >= LEAST and len(values) > len(chosen.get(group, ())):
            chosen[group] = values
    return chosen


def count(groups, side):
    """The rare events of settings to a side, None where there are none or too many to be rare."""
    events = [event for values in groups.values() for event in find_events(values, side)]
    runs = sum(map(len, groups.values()))
    if not 0 < len(events) <= RARE * runs:
        return None
    plain, log = (float(f"{fmean(sizes):.3g}") for sizes in zip(*events, strict=True))
    about = {"runs": runs, "groups": len(groups), "events": len(events)}
    return about | {"plain": plain, "log": log}


def count_events(store):
    """The whole file."""
    found, settings = {}, set()
    for (data, family, column), groups in sorted(collect(store).items()):
        groups = choose_protocols(groups)
        settings |= set(groups)
        sides = {"above": count(groups, 1), "below": count(groups, -1)}
        if any(sides.values()):
            found.setdefault(data, {}).setdefault(family, {})[column] = sides
    about = ABOUT.format(groups=len(settings))
    return RareEvents.model_validate({"schema": 1, "about": about, "events": found})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path("results"))
    parser.add_argument("--to", type=Path, default=FILE)
    args = parser.parse_args()
    whole = count_events(Store(args.output))
    args.to.write_text(
        reviewable(json.loads(whole.model_dump_json(by_alias=True, exclude_none=True)))
    )
    print(f"{args.to}: {whole.about}")


if __name__ == "__main__":
    main()
