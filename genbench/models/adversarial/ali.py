"""Adversarially learned inference."""

from __future__ import annotations

from genbench.core.model import model
from genbench.families.inverse import InverseGame
from genbench.families.search import PERCEPTRON_GAME, R1


@model("ali")
class ALI(InverseGame):
    r"""Creates a GAN whose encoder is a distribution: both directions against a discriminator of pairs.

    .. math::
        L_D = -E \log D(x, \hat z) - E \log(1 - D(G(z), z)), \qquad
        \hat z \sim N(\mu(x), \sigma(x)^2), \quad z \sim N(0, I)

    Generator and encoder minimise the same with the sides exchanged. Where the game is solved q(z|x) is
    the posterior of the generator. Reconstructions are those of the mean code; points are completed by
    the chain x -> z ~ q(z|x) -> G(z) with the known entries put back at every step.

    References:
        | Adversarially Learned Inference (Dumoulin et al., 2017), algorithm 1
        | https://arxiv.org/abs/1606.00704

    Differences: the generator is a map, as in the authors' experiments; multi-layer perceptrons or small
    convolutional networks without maxout, dropout and batch normalisation in the discriminator; a code of
    50 in place of 256; the encoder's deviation is below 1; a gradient penalty on real points (Mescheder et
    al., 2018), without which small networks invert badly.

    Arguments:
        latent: The dimension of the code; None takes 2 for points in the plane, 50 otherwise.
        hidden: The widths of the hidden layers of the three networks.
        network: `mlp`, or `conv` for images.
        width: The channels of convolutional networks.
        lr: Adam's step size.
        beta1: Adam's first decay.
        penalty: The weight gamma of the discriminator's squared slope at real points, gamma/2 times it;
            None takes 0.1 without a range and 0.25 with one; 0 leaves it out, as the paper does.
        chain_steps: How many reconstructions complete a point.
    """

    paper = "Dumoulin et al., 2017"
    year = 2017
    search = {**PERCEPTRON_GAME, **R1}
    stochastic = True
