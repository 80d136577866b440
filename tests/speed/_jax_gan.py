"""A GAN's round as a JAX user writes it for many seeds: vmap over seeds, scan over rounds, one program.

Run by `compiled.py`, one process per row, so that its threads are pinned before JAX starts:
python tests/speed/_jax_gan.py BATCH WIDTH SEEDS SECONDS
"""

from __future__ import annotations

import sys
import time
from functools import partial

import jax
import jax.numpy as jnp

LAYERS, LATENT, ROUNDS = 3, 2, 100
RATE, DECAYS = 1e-3, (0.5, 0.999)


def create(key, sizes):
    """Returns weights and biases, uniform on ±1/sqrt(fan_in)."""
    layers = []
    for a, b in zip(sizes, sizes[1:], strict=False):
        key, first, second = jax.random.split(key, 3)
        draw = partial(jax.random.uniform, minval=-(a**-0.5), maxval=a**-0.5)
        layers.append((draw(first, (a, b)), draw(second, (b,))))
    return layers


def run_layers(layers, x, activation):
    """Maps points through a perceptron."""
    for weight, bias in layers[:-1]:
        x = activation(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def generate(layers, z):
    """Maps noise to points."""
    return run_layers(layers, z, jax.nn.relu)


def score(layers, x):
    """Maps points to logits."""
    return run_layers(layers, x, partial(jax.nn.leaky_relu, negative_slope=0.2))[:, 0]


def adam(state, gradient, step):
    """Makes a step of Adam."""
    weights, first, second = state
    a, b = DECAYS
    first = jax.tree.map(lambda m, g: a * m + (1 - a) * g, first, gradient)
    second = jax.tree.map(lambda v, g: b * v + (1 - b) * g * g, second, gradient)
    at, bt = 1 - a**step, 1 - b**step
    weights = jax.tree.map(
        lambda w, m, v: w - RATE * (m / at) / (jnp.sqrt(v / bt) + 1e-8), weights, first, second
    )
    return weights, first, second


def draw_ring(key, batch):
    """Returns points of the eight Gaussians of ring."""
    which, noise = jax.random.split(key)
    angle = jax.random.randint(which, (batch,), 0, 8) * (2 * jnp.pi / 8)
    centres = jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    return centres + 0.01 * jax.random.normal(noise, (batch, 2))


def make_round(batch):
    """Returns one round: the discriminator's update, then the generator's, each on fresh points."""

    def play(state):
        key, generator, discriminator, step = state
        key, a, b, c = jax.random.split(key, 4)
        step = step + 1.0
        real = draw_ring(a, batch)
        fake = generate(generator[0], jax.random.normal(b, (batch, LATENT)))

        def discriminator_loss(layers):
            return (
                jax.nn.softplus(-score(layers, real)).mean()
                + jax.nn.softplus(score(layers, fake)).mean()
            )

        def generator_loss(layers):
            z = jax.random.normal(c, (batch, LATENT))
            return jax.nn.softplus(-score(discriminator[0], generate(layers, z))).mean()

        discriminator = adam(discriminator, jax.grad(discriminator_loss)(discriminator[0]), step)
        generator = adam(generator, jax.grad(generator_loss)(generator[0]), step)
        return key, generator, discriminator, step

    return play


def start(seed, width):
    """Returns a seed's state."""
    key, a, b = jax.random.split(jax.random.PRNGKey(seed), 3)
    networks = []
    for draw, sizes in ((a, [LATENT, *[width] * LAYERS, 2]), (b, [2, *[width] * LAYERS, 1])):
        weights = create(draw, sizes)
        zeros = jax.tree.map(jnp.zeros_like, weights)
        networks.append((weights, zeros, zeros))
    return key, *networks, jnp.float32(0)


def measure(batch, width, seeds, seconds):
    """Returns rounds of seeds per second, compilation left out."""
    play = jax.vmap(make_round(batch))
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: (play(s), None), state, None, ROUNDS)[0])
    state = jax.block_until_ready(run(jax.vmap(partial(start, width=width))(jnp.arange(seeds))))
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        state = jax.block_until_ready(run(state))
        rounds += ROUNDS
    return seeds * rounds / (time.perf_counter() - began)


if __name__ == "__main__":
    print(measure(*map(int, sys.argv[1:4]), float(sys.argv[4])))
