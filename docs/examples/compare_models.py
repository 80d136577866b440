"""Comparing two models; a notebook in cells of `# %%`, for Jupyter, VS Code and Spyder, or a script.

Six seeds of a GAN and of a VAE on a ring of eight Gaussians; a quarter of a minute on one core.
"""

# %%
import genbench
from genbench.statistics.intervals import mean_interval

# %% [markdown]
# A suite is data: what is trained, for how long, and by what it is measured. What is recorded in `runs/` is
# not done again, so that the cell may be run as often as one likes.

# %%
suite = {
    "description": "two models on the ring",
    "seeds": 6,
    "batch": 128,
    "budget": {"steps": 300},
    "samples": 2000,
    "metrics": ["mmd", "prdc", "modes"],
    "curve": 0,
    "cells": [
        {"models": ["vae", {"name": "gan", "options": {"lr": 0.003}}], "datasets": ["ring"]}
    ],
}
genbench.run(suite, results="runs")
print(genbench.leaderboard("runs"))  # in a notebook the name alone is a table

# %% [markdown]
# "±" is half a 95 % interval over the seeds; ranks are those that are possible given them. The same seeds
# draw the same minibatches, so the difference by seed is what to look at.

# %%
frame = genbench.results("runs", model=["vae", "gan"], dataset="ring")
scores = frame[(frame["id"] == "recall") & (frame["split"] == "test")]
by_seed = scores.pivot(index="seed", columns="model", values="value")
difference = mean_interval((by_seed["vae"] - by_seed["gan"]).tolist())
print(
    f"recall, vae less gan: {difference.mean:.3f} [{difference.low:.3f}, {difference.high:.3f}], "
    f"{difference.n} seeds"
)

# %% [markdown]
# What it cost: sampling takes one pass of a network for either.

# %%
for row in frame.drop_duplicates("model").itertuples():
    print(
        f"{row.model}: {row.parameters:,} weights, {row.train_seconds:.1f} s for {row.seeds_sharing} seeds"
    )

# %% [markdown]
# A folder of pages for those who were not here: curves, samples, tables for papers.

# %%
page = genbench.leaderboard("runs").write("report")
print(f"page: {page}")
