"""Marks claims' cells at other budgets with their scale: python tests/proof/tag_scales.py RESULTS.

Run once on results that were made before records had the field `scale`. A group is marked where it is a
claim's run at another scale and no claim's run at its own budget, and the folder holds the same at that
budget; all other files stay the same byte for byte.
"""

import sys
from collections import Counter
from dataclasses import replace

from genbench.core.claim import find
from genbench.running.claim_cells import specs_of
from genbench.running.scale import SCALES, Scale
from genbench.store import Store


def scales_of(groups):
    """The scale of every group that was made for a claim at another budget than the claim's."""
    runs = [replace(run, seeds=1) for claim in find().values() for run in claim.runs]
    own = {specs_of(run)[0].group: run for run in runs}
    scales = {}
    for group, run in own.items():
        if group in groups:
            for name in SCALES:
                scales.setdefault(specs_of(Scale(name).run(run))[0].group, name)
    return {group: name for group, name in scales.items() if group in groups and group not in own}


def main(root):
    store = Store(root)
    records = list(store.records())
    scales = scales_of({record.group for record in records})
    counts = Counter()
    for record in records:
        scale = scales.get(record.group)
        if scale is not None and record.scale is None:
            store.write(record.model_copy(update={"scale": scale}))
            counts[scale] += 1
    print(f"{sum(counts.values())} of {len(records)} records marked: {dict(counts)}")


if __name__ == "__main__":
    main(sys.argv[1])
