"""Evidence of claims: built-in ones with fabricated records, and hostile ones of every kind of plot."""

from statistics import NormalDist

from claim_records import make_trial, write
from report_records import HOSTILE

from genbench.claims import sample_quality
from genbench.core.claim import CLAIMS, Claim, Run
from genbench.core.effect import Effect
from genbench.core.figure import Figure, Series
from genbench.running.evidence import ClaimEvidence
from genbench.running.scale import Scale
from genbench.store import Store

LONG = "a run with a very long name that no phone has room for " * 3
RUN = Run("gan", "ring", ("mmd",), {"hidden": [8]}, 8, 10, 8, samples=100)
SEEDS = range(8)


def spread(mean):
    """One value a seed, with quantiles of the normal law."""
    return {seed: mean + 0.1 * NormalDist().inv_cdf((seed + 0.5) / len(SEEDS)) for seed in SEEDS}


def effects(evidence):
    found = evidence.scores(RUN, "mmd")
    return [
        Effect(f"mmd {HOSTILE}", found, 1.0, unit=HOSTILE),
        Effect("beside", found, judged=False),
    ]


def cloud(evidence):
    found = evidence.scores(RUN, "mmd")
    return Figure(
        "scatter", f"x {HOSTILE}", "y", [Series(HOSTILE, [found], [found])], note=HOSTILE
    )


def named_strip(evidence):
    found = evidence.scores(RUN, "mmd")
    series = [Series(HOSTILE, [LONG, HOSTILE], [found, {}]), Series("other", [LONG], [found])]
    return Figure("strip", "", f"y {HOSTILE}", series, log="y", levels={HOSTILE: 2.0})


def planted(name, figure):
    texts = dict.fromkeys(("statement", "source", "why"), f"{HOSTILE} {{{{ 7*7 }}}} {LONG}")
    lists = {"literature": (HOSTILE,), "threats": (HOSTILE,), "notes": {"supported": HOSTILE}}
    other = {HOSTILE: [Effect(HOSTILE, spread(0.0), 1.0)]}
    about = {**texts, **lists, "figure": figure, "by_metric": lambda evidence: other}
    return Claim(name, effects, runs=(RUN,), **about)


def plant():
    """Registers the hostile claims."""
    for name, figure in (("hostile_cloud", cloud), ("hostile_strip", named_strip)):
        CLAIMS.add(name, planted(name, figure))


def uproot():
    """Takes the hostile claims back."""
    CLAIMS._objects = {n: c for n, c in CLAIMS._objects.items() if not n.startswith("hostile")}


def fill_claims(root):
    """Fabricates what sample-quality needs at two budgets, plays the games, plants hostile claims."""
    store = Store(root)
    for scale, gan in ((Scale(), 10), (Scale("half"), 160)):
        for name, run in sample_quality.GANS.items():
            best = gan if name == "wgan_gp" else 2 * gan
            distances = {"fid": best, "kid": 20 * best, "mmd": best / 1e2}
            write(
                store,
                run,
                scale,
                **distances,
                precision=0.9,
                recall=0.3,
                density=0.9,
                coverage=0.9,
            )
        for run in sample_quality.OTHERS.values():
            write(store, run, scale, fid=40, kid=800, mmd=0.4, precision=0.7, recall=0.5)
    held = ClaimEvidence(CLAIMS.get("nash_oscillation"), store)
    make_trial(held, list(range(held.claim.seeds)))
    write(store, RUN, mmd=2.0, noise=0.05)
    return store
