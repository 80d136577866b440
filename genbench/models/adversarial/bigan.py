"""The bidirectional GAN."""

from __future__ import annotations

from genbench.core.model import model
from genbench.families.inverse import InverseGame
from genbench.families.search import PERCEPTRON_GAME, R1


@model("bigan")
class BiGAN(InverseGame):
    r"""Creates a bidirectional GAN: a generator and an encoder against a discriminator of pairs.

    .. math::
        L_D = -E \log D(x, E(x)) - E \log(1 - D(G(z), z)), \qquad
        L_{G,E} = -E \log(1 - D(x, E(x))) - E \log D(G(z), z)

    Where the game is solved G and E are each other's inverse. Points are completed by the chain
    x -> E(x) -> G(E(x)) that starts from a sample and puts the known entries back at every step.

    References:
        | Adversarial Feature Learning (Donahue et al., 2017), sections 3 and 4.1
        | https://arxiv.org/abs/1605.09782

    Differences: narrower networks without batch normalisation (`mlp`); no weight decay; one step size
    throughout; a gradient penalty on real points (Mescheder et al., 2018), without which small networks
    invert badly.

    Arguments:
        latent: The dimension of the code, uniform on [-1, 1]; None takes 2 for points in the plane, 50
            otherwise.
        hidden: The widths of the hidden layers of the three networks.
        network: `mlp`, or `conv` for images.
        width: The channels of convolutional networks.
        lr: Adam's step size.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points, gamma/2 times it;
            None takes 0.1 without a range and 0.25 with one; 0 leaves it out, as the paper does.
        chain_steps: How many reconstructions complete a point.
    """

    paper = "Donahue et al., 2017"
    year = 2017
    search = {**PERCEPTRON_GAME, **R1}
    stochastic = False
