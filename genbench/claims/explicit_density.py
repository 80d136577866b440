"""Which families give a likelihood of held-out digits."""

from __future__ import annotations

from genbench.claims._cells import FASHION, digits
from genbench.core.claim import Evidence, Run, claim
from genbench.core.effect import Effect, difference
from genbench.core.entrants import make_runs
from genbench.core.figure import Figure, strip
from genbench.core.model import MODELS, Encoder, MarkovChain
from genbench.families.flow import FlowModel

BOTH = ("nll", "parzen")
GANS = make_runs("image", ["adversarial"], "digits", BOTH, only=("gan", "wgan_gp"))
EXPLICIT = (
    make_runs("image", ["fully visible"], "digits", BOTH, only=("made",))
    | make_runs("image", ["flow"], "digits", BOTH)
    | make_runs("image", ["variational", "Boltzmann machine"], "digits", ("nll",))
)
MEMORY = digits("resample", metrics=("nll", "parzen"))


def figure(evidence: Evidence) -> Figure:
    """Draws the kernel-density figure of older papers, which copies of training points win."""
    rows = {
        "memory": {"copies of training points": MEMORY},
        "with a density": {name: EXPLICIT[name] for name in ("made", "realnvp")},
        "GANs": GANS,
    }
    return strip(
        evidence,
        rows,
        "parzen",
        "Parzen-window log-likelihood, nats (higher was taken as better)",
        note="Why samples do not give a density: memory outscores the truth.",
    )


def describe_training(evidence: Evidence, name: str, run: Run) -> Effect:
    """Returns whether a model infers latents of the training points: by an encoder, a flow or a chain.

    A row of the table of abilities, from what the model declares, which its contract checks.
    """
    infers = issubclass(MODELS.get(run.model), (Encoder, FlowModel, MarkovChain))
    values = dict.fromkeys(evidence.finished(run), float(infers))
    text = f"{name}: share of runs that infer latents of training points"
    return Effect(text, values, 0.5, "below", by_definition=True, judged=False)


@claim(
    "explicit_density",
    statement="A GAN has no explicit density, unlike the families that are trained by likelihood.",
    source="Goodfellow et al., 2014 (1406.2661), section 6; tutorial, figure 9",
    why="Every family is asked for the log-likelihood of held-out digits, and runs whose record has an "
    "answer (exact, bound or estimate) are counted. The kernel-density figure of older papers is listed "
    "beside with its known failure: copies of training points outscore true densities.",
    runs=(*GANS.values(), *EXPLICIT.values(), MEMORY),
    literature=(
        "Figures by Parzen windows and log-likelihoods are unrelated in high dimensions (Theis et al., "
        "2016).",
        "Annealed importance sampling gives estimates for decoders, GANs' too, at a high cost and with "
        "an observation model added (Wu et al., 2017).",
    ),
    threats=(
        "The answers are those of this benchmark's models; a flow as the generator "
        "would give a GAN a density (Grover et al., 2018).",
    ),
    figure=figure,
    elsewhere=(FASHION,),
    outsiders={"resample": "copies of training points, which have no family"},
)
def effects(evidence: Evidence) -> list[Effect]:
    """Shares of runs whose record has a log-likelihood, and what Parzen windows say."""

    def count_answers(run: Run) -> dict[int, float]:
        values = evidence.scores(run, "nll")
        return {seed: float(seed in values) for seed in evidence.finished(run)}

    text = "share of runs with a log-likelihood"
    parts = [
        Effect(f"{name}: {text}", count_answers(run), 0.5, "below", by_definition=True)
        for name, run in GANS.items()
    ]
    parts += [
        Effect(f"{name}: {text}", count_answers(run), 0.5, by_definition=True)
        for name, run in EXPLICIT.items()
    ]
    parts += [describe_training(evidence, name, run) for name, run in (GANS | EXPLICIT).items()]
    memory = evidence.scores(MEMORY, "parzen")
    for name in ("made", "realnvp"):
        other = evidence.scores(EXPLICIT[name], "parzen")
        about = f"Parzen figure of copies of training points less that of {name}"
        parts.append(Effect(about, difference(memory, other), 0.0, unit="nats", judged=False))
    return parts
