"""Whether a WaveNet and a GAN can make waves of a known process, and what a wave costs."""

from __future__ import annotations

import math

from genbench.core.claim import Evidence, claim
from genbench.core.effect import Effect, log_ratio, map_values
from genbench.core.figure import Figure, Series
from genbench.experiments.waveforms import DRAWN, GAN, experiment

LENGTHS = (256, 16_000)
LABELS = {"wavenet": "WaveNet", GAN: "GAN", "white": "the same, shuffled"}


def figure(evidence: Evidence) -> Figure:
    """Draws the spectra beside the process's."""
    places = [(i + 0.5) / (2 * DRAWN) for i in range(DRAWN)]

    def row(name: str) -> list:
        return [evidence.measured(f"power_{name}_{i}") for i in range(DRAWN)]

    series = [Series(label, places, row(name)) for name, label in LABELS.items()]
    return Figure(
        "lines",
        "frequency, cycles a sample",
        "power, squared steps",
        [Series("the process: closed form", places, row("law"), True), *series],
        log="y",
        note="Means over a thousand waves of 256 samples and neighbouring frequencies.",
    )


@claim(
    "waveforms",
    statement="A fully visible belief network can learn audio, but makes it sample by sample, in a time in "
    "proportion to the length; a GAN can make audio as well, in one pass.",
    source="Goodfellow, 2016 (NIPS tutorial, 1701.00160), section 2.3.1, on WaveNet's two minutes for a "
    "second of audio; a question answered on Quora, whether GANs could make audio",
    why="Waves of an autoregressive process on sixteen levels, with feedback through the quantiser, are a "
    "Markov chain: entropy and spectrum have closed forms, so that nats above the process's and decibels off "
    "its spectrum need no ear. Times do not depend on weights and are of untrained networks.",
    experiment=experiment,
    timed=True,
    quick={"rounds": 120, "gan_rounds": 250, "lengths": (256, 1024, 2048), "seconds": 0.0},
    scaled=("rounds", "gan_rounds"),
    null_exemptions={
        "its experiment": "distances to a process that is known, and exponents of times",
    },
    literature=(
        "By construction: no model has fewer nats a sample than the process on average; exact draws of a "
        "thousand waves are off its spectrum by the noise of periodograms alone.",
        "WaveNet makes 172 samples a second, Parallel WaveNet, distilled from it, 500,000 (van den Oord et "
        "al., 2018).",
        "Goodfellow (2016), section 2.3.1: two minutes of computing for a second of WaveNet's audio.",
    ),
    threats=(
        "One resonance and noise: speech and music have structure over thousands of samples, of which "
        "nothing is shown.",
        "The GAN is small, untuned and trained for a fixed number of rounds; a spectrum is second moments "
        "alone, and levels' distribution and phases are not judged.",
        "The WaveNet sees 16 samples back, as many layers at every length: the paper's, of 30 layers, costs "
        "more a sample, not more than in proportion.",
        "A pass of the GAN is parallel, but on one core its work, too, grows with the length.",
    ),
    figure=figure,
)
def effects(evidence: Evidence) -> list[Effect]:
    """Nats over the process's, the exponent of time, spectra, and the check of the process's own entropy."""
    of = evidence.measured
    off = map_values(lambda v: abs(v - 1), of("exponent_wavenet"))
    ahead = log_ratio(of(f"spectrum_{GAN}"), of("spectrum_wavenet"))
    unit, away = "nats a sample", "spectrum off the process's"
    parts = [
        Effect("WaveNet: nats over the process's", of("excess"), 0.05, "below", unit),
        Effect(
            "WaveNet: exponent of the time of a wave in its length, distance to 1",
            off,
            0.2,
            "below",
        ),
        # as for other distances: no more than a tenth worse
        Effect(f"log {away}, GAN over WaveNet", ahead, math.log(1.1), "below"),
        Effect(
            "check: the process's nats on the waves less its entropy",
            of("law_error"),
            0.02,
            "below",
            unit,
        ),
    ]
    beside = [
        Effect(f"{label}: {away}", of(f"spectrum_{name}"), 1.0, "below", "dB", judged=False)
        for name, label in {"exact": "exact draws", **LABELS}.items()
    ]
    times = [
        Effect(
            f"log time of a wave of {length:,} samples, WaveNet over GAN",
            log_ratio(of(f"ms_wavenet_{length}"), of(f"ms_{GAN}_{length}")),
            judged=False,
        )
        for length in LENGTHS
    ]
    text = "GAN: exponent of the time of a wave in its length"
    return [
        *parts,
        *beside,
        *times,
        Effect(text, of(f"exponent_{GAN}"), 0.5, "below", judged=False),
    ]
