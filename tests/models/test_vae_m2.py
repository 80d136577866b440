import math

import pytest
import torch
from torch.nn import functional

from genbench.core.dataset import DataSpec
from genbench.core.errors import ContractError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng

BITS = DataSpec("bits", (16,), kind="binary", classes=4)


def made_of(dtype=torch.float64, seeds=(0, 1), **options):
    rng = Rng(seeds, dtype=dtype)
    given = {"hidden": (16,), "latent": 2, **options}
    return build("vae_m2", BITS, rng, given), rng


def data(rng, n):
    """Four noisy prototypes of sixteen bits: points (S, n, 16) and classes (S, n)."""
    prototypes = Rng([7]).uniform(4, 16)[0] < 0.5
    y = rng.integers(4, n)
    flips = rng.uniform(n, 16) < 0.15
    return (prototypes[y] ^ flips).to(rng.dtype), y


def test_the_loss_is_the_papers_with_labels_without_and_mixed():
    model, rng = made_of(alpha=0.3)
    x, y = data(rng.fork("data"), 6)
    noise = rng.fork("loss").normal(6, 2)
    each = torch.stack(
        [
            model.autoencoder.elbo(
                x, noise, c=functional.one_hot(torch.full_like(y, k), 4).double()
            )
            + math.log(1 / 4)
            for k in range(4)
        ],
        dim=-1,
    )
    q = torch.distributions.Categorical(logits=model.classify(x))
    known = -each.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    unknown = -(q.probs * each).sum(-1) - q.entropy()
    for labels in (y, torch.full_like(y, -1), torch.where(torch.arange(6) < 2, y, -1)):
        mask = labels >= 0
        cost = -(mask * q.log_prob(labels.clamp_min(0))).sum(-1) / mask.sum(-1).clamp_min(1)
        expected = torch.where(mask, known, unknown).mean(-1) + 0.3 * cost
        loss = model.loss(Batch(x, labels, 1.0), rng.fork("loss"))
        torch.testing.assert_close(loss, expected)


def test_the_bound_lies_below_the_likelihood_of_all_classes():
    model, rng = made_of(importance=100)
    x, _ = data(rng.fork("data"), 12)
    side = torch.linspace(-6, 6, 121, dtype=torch.float64)
    z = torch.cartesian_prod(side, side).expand(2, -1, -1)
    log_prior = (-0.5 * z.square().sum(-1, keepdim=True)).log_softmax(1) - math.log(4)
    terms = []
    for c in torch.eye(4, dtype=torch.float64):
        logits = model.autoencoder.output(z, c.expand(2, len(z[0]), -1)).detach()
        each = logits @ x.mT - functional.softplus(logits).sum(-1, keepdim=True)
        terms.append((each + log_prior).logsumexp(1))
    truth = torch.stack(terms).logsumexp(0)
    repeated = x.repeat_interleave(50, 1)
    bound = model.log_prob(repeated, rng.fork("bound")).unflatten(1, (12, 50))
    assert (bound.mean(-1) < truth + 4 * bound.std(-1) / 50**0.5).all()
    assert (truth.mean(-1) - bound.mean((-1, -2)) < 0.05).all()


def fitted(missing):
    """Trained on points of which all but eight labels are missing, or on the eight alone."""
    model, rng = made_of(torch.float32, seeds=(0, 1, 2, 3), alpha=1.0, lr=5e-3)
    x, y = data(rng.fork("train"), 400)
    y = torch.where(torch.arange(400) < 8, y, -1)
    if not missing:
        x, y = x[:, :8], y[:, :8]
    (player,) = model.players()
    optimizer = player.optimizer(list(model.parameters()))
    for step in range(300):
        model.zero_grad()
        model.loss(Batch(x, y, step / 300), rng).sum().backward()
        optimizer.step()
    x, y = data(rng.fork("test"), 1000)
    right = (model.classify(x).argmax(-1) == y).float().mean(-1)
    return model, rng, right


def test_points_without_labels_help_to_classify_and_samples_are_of_their_class():
    _, _, alone = fitted(missing=False)
    model, rng, right = fitted(missing=True)
    assert right.mean() > alone.mean() + 0.05
    assert right.mean() > 0.85
    labels = torch.arange(4).repeat(50).expand(4, -1)
    fake = model.sample_class(labels, rng.fork("sample"))
    assert fake.shape == (4, 200, 16)
    assert (model.classify(fake).argmax(-1) == labels).float().mean() > 0.8


def test_codes_average_over_classes():
    model, rng = made_of()
    x, _ = data(rng.fork("data"), 3)
    q = model.classify(x).exp()
    expected = sum(
        q[..., k : k + 1]
        * model.autoencoder.posterior(x, torch.eye(4)[k].double().expand(2, 3, -1))[0]
        for k in range(4)
    )
    torch.testing.assert_close(model.encode(x, rng), expected)


def test_data_without_classes_are_refused_and_labels_are_needed():
    model, rng = made_of()
    assert "has none" in type(model).refuses(DataSpec("space", (3,)))
    tokens = DataSpec("words", (8,), kind="tokens", tokens=5, classes=2)
    assert "tokens" in type(model).refuses(tokens)
    with pytest.raises(ContractError, match="give -1 where unknown"):
        model.loss(Batch(torch.zeros(2, 3, 16).double()), rng)
