"""Real-valued non-volume preserving transformations, a normalising flow."""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor

from genbench.core.allowed import Amount, Count, Positive, Several, Weight, Widths
from genbench.core.dataset import DataSpec
from genbench.core.errors import SpecError
from genbench.core.model import model
from genbench.core.rng import Rng
from genbench.core.search import Choice, LogUniform
from genbench.families.flow import FlowModel, halves
from genbench.families.search import density_space
from genbench.models.flow._coupling_image import ImageCouplings
from genbench.models.flow._logit import from_logits, to_logits
from genbench.nn.coupling import Couplings
from genbench.nn.mlp import flat


@model("realnvp")
class RealNVP(FlowModel):
    r"""Creates a normalising flow of affine couplings, trained by exact maximum likelihood.

    .. math::
        \log p(x) = \log N(f(x); 0, I) + \log |\det \partial f(x) / \partial x|

    Data with a range first pass a logit, which is part of the flow and of its determinant.

    References:
        | Density Estimation Using Real NVP (Dinh et al., 2017), sections 3 and 4.1
        | https://arxiv.org/abs/1605.08803

    Differences: fully connected networks and fixed random permutations (in the plane, rotations) in
    place of residual convolutions, checkerboards and a multi-scale architecture, which images have by
    `network=conv` only; no batch or weight normalisation; AdamW on a linearly falling step size. The
    logit's margin is kept at both ends of the range, and what samples fall into a margin are moved to
    the nearer end.

    Arguments:
        layers: The number of couplings, at least 2, so that every coordinate moves; for `mlp`.
        hidden: The widths of every coupling's hidden layers; for `mlp`.
        limit: The bound on the log-scale of one coupling.
        mixing: What comes before every second coupling, a fixed random `permutation` or `rotation`;
            None chooses rotations for two coordinates, which no permutation mixes; for `mlp`.
        frequencies: How many sines and cosines of each coordinate, at 1, 2, 4, …, the couplings' networks
            see beside it, with which narrow modes are learnt sooner; for `mlp`.
        lr: AdamW's first step size.
        weight_decay: AdamW's decay; None chooses 3 for images (1 with `network: conv`) and 0 elsewhere.
        clip: The largest gradient norm.
        network: `mlp`, or `conv` for images: at every scale three checkerboard couplings, a squeeze and
            three channel-wise couplings, then half the channels are final; four checkerboards at last.
        width: The channels of every coupling's residual network; for `conv`.
        blocks: The residual blocks of every coupling's network; for `conv`.
    """

    version = 2
    paper = "Dinh et al., 2017"
    year = 2016
    search = {
        **density_space(),
        "weight_decay": LogUniform(1e-3, 1.0),
        "limit": Choice((1.0, 2.0, 3.0)),
    }

    def __init__(
        self,
        spec: DataSpec,
        rng: Rng,
        *,
        layers: Several = 12,
        hidden: Widths = (64, 64),
        limit: Positive = 2.0,
        mixing: Literal["permutation", "rotation"] | None = None,
        frequencies: Amount = 0,
        lr: Positive = 2e-3,
        weight_decay: Weight | None = None,
        clip: Positive = 5.0,
        network: Literal["mlp", "conv"] = "mlp",
        width: Count = 32,
        blocks: Amount = 2,
    ) -> None:
        chosen = (1.0 if network == "conv" else 3.0) if spec.is_image else 0.0
        decay = chosen if weight_decay is None else weight_decay
        super().__init__(spec, rng, lr=lr, weight_decay=decay, clip=clip)
        draws = rng.fork("flow")
        self.flow: Any
        if network == "conv":
            if not spec.is_image:
                raise SpecError(
                    f"realnvp with network=conv needs images, {spec.name} has points of shape "
                    f"{spec.event}; take network=mlp"
                )
            self.flow = ImageCouplings(spec.event, width, blocks, draws, limit=limit)
            return
        if mixing is None:
            mixing = "rotation" if spec.size == 2 else "permutation"
        self.flow = Couplings(
            spec.size, layers, hidden, draws, limit=limit, mixing=mixing, frequencies=frequencies
        )

    @classmethod
    def refuses(cls, spec: DataSpec) -> str | None:
        """Discrete points have no density, and one coordinate has no halves."""
        return halves(spec)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Maps points (S, B, *event) to codes (S, B, D) and log-determinants (S, B)."""
        y, log_det = to_logits(flat(x), self.spec)
        z, moved = self.flow(y)
        return z, moved + log_det

    def inverse(self, z: Tensor) -> Tensor:
        """Maps codes (S, B, D) to points (S, B, *event), which may lie within the logit's margin."""
        return from_logits(self.flow.inverse(z), self.spec).unflatten(-1, self.spec.event)
