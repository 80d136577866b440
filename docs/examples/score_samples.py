"""Scoring samples of your own; a notebook in cells of `# %%`, for Jupyter, VS Code and Spyder, or a script.

The "samples" here are digits of scikit-learn with a little noise, so that nothing has to be downloaded.
"""

# %%
from pathlib import Path

import numpy

import genbench
from genbench.core.dataset import DATASETS

digits = DATASETS.get("digits")()
real = digits.points("train").numpy()  # (N, 1, 8, 8), pixels from 0 to 1


def draw(seed: int, noise: float) -> numpy.ndarray:
    """Returns what a generator of yours would."""
    rng = numpy.random.default_rng(seed)
    x = real[rng.permutation(len(real))[:500]]
    return (x + noise * rng.normal(size=x.shape)).clip(0, 1).astype("float32")


# %% [markdown]
# An array, a file, a folder, a data loader or a generator of batches: the number is the same.

# %%
samples = draw(seed=0, noise=0.1)
result = genbench.evaluate(samples, "digits:test", metrics="fid,kid,prdc", features="random_conv")
print(result)  # in a notebook `result` alone is a table

# %%
numpy.savez("mine.npz", arr_0=(255 * samples).round().astype("uint8"))
again = genbench.evaluate("mine.npz", "digits:test", metrics="fid", features="random_conv")
print(f"fid of floats {result.fid:.4f}, of the same as bytes {again.fid:.4f}")

# %% [markdown]
# Values that cannot be pixels as they are: one sentence, never a number.

# %%
try:
    genbench.evaluate(2 * samples - 1, "digits:test", metrics="fid", features="random_conv")
except genbench.GenbenchError as error:
    print(error)
declared = genbench.evaluate(
    2 * samples - 1, "digits:test", metrics="fid", features="random_conv", range="samples=-1,1"
)
print(f"fid with the range declared {declared.fid:.4f}")

# %% [markdown]
# Samples of several training runs become records: intervals over the runs, a place in the leaderboard.

# %%
runs = {seed: draw(seed, noise=0.1) for seed in range(5)}
genbench.evaluate(runs, "digits:test", metrics="prdc", features="random_conv", record="my-model")
worse = {seed: draw(seed, noise=0.3) for seed in range(5)}
genbench.evaluate(
    worse, "digits:test", metrics="prdc", features="random_conv", record="my-older-model"
)
print(genbench.leaderboard("runs"))

# %% [markdown]
# A line to cite stands under every result.

# %%
print(f"FID {result.fid:.3f} ({result.citations['fid']})")
print("records:", len(list(Path("runs").rglob("my-*/*.json"))))
