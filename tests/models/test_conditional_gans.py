"""GANs that are told the class, or that tell it."""

import pytest
import torch
from planted_models import CLASSES, DATA
from torch.nn import functional

from genbench.core.dataset import DATASETS, DataSpec
from genbench.core.errors import ContractError, SpecError
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget, Part
from genbench.core.trained import Trained
from genbench.evaluation.evaluator import Evaluator
from genbench.evaluation.requests import make_requests
from genbench.metrics.code_accuracy import assigned
from genbench.training.minibatches import Minibatches, training_set, visible_labels
from genbench.training.trainer import Trainer

SEEDS = [0, 1]
SMALL = {"hidden": (32, 32)}
POINTS = DATA.to_model(DATA.points("test"))
LABELS = DATA.labels("test")


def make(name, dataset=DATA, labelled=None, seeds=SEEDS, **options):
    rng = Rng(seeds)
    model = build(name, dataset.spec, rng, {**SMALL, **options})
    shown = visible_labels(dataset, labelled, rng)
    model.prepare(training_set(dataset, type(model), rng, labels=shown), rng.fork("prepare"))
    return model, rng


def trained(name, steps, labelled=None, **options):
    model, rng = make(name, labelled=labelled, **options)
    Trainer(model, DATA, Budget(steps=steps), batch=64, rng=rng, labelled=labelled).run()
    return model, rng


def minibatch(rng, n=40):
    return Minibatches(DATA, rng.fork("data"), n)()


def test_data(model):
    return POINTS.expand(model.seeds, -1, -1)


test_data.__test__ = False


# --- what is asked for is given


@pytest.mark.parametrize(("name", "labelled"), [("cgan", None), ("acgan", None), ("cgan", 30)])
def test_samples_are_of_the_asked_class(name, labelled):
    model, rng = trained(name, 400, labelled, latent=4)
    labels = torch.arange(CLASSES).repeat(100).expand(2, -1)
    with torch.no_grad():
        x = model.sample_class(labels, rng.fork("sample"))
    assert ((x[..., :CLASSES].argmax(-1) == labels).float().mean(-1) > 0.9).all()


@pytest.mark.parametrize("name", ["cgan", "acgan"])
def test_the_generator_is_not_reached_by_the_discriminators_loss(name):
    model, rng = make(name)
    model.discriminator_loss(minibatch(rng), rng.fork("train")).sum().backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is not None for p in model.discriminator.parameters())


@pytest.mark.parametrize("name", ["cgan", "acgan"])
@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (DataSpec("plain", (2,)), "needs labels, plain has none"),
        (DataSpec("bits", (4,), kind="binary", classes=2), "needs continuous data"),
    ],
)
def test_data_without_labels_and_bits_are_refused(name, spec, reason):
    assert reason in type(make(name)[0]).refuses(spec)


@pytest.mark.parametrize("name", ["cgan", "acgan"])
@pytest.mark.parametrize(("there", "drawn"), [([0, 2], [0, 2]), ([0, 1, 2, 3], [0, 1, 2, 3])])
def test_samples_are_of_classes_that_training_points_have(monkeypatch, name, there, drawn):
    """Half of the samples were of classes of which the generator had seen none."""
    rng = Rng([0, 1])
    model = build(name, DataSpec("gaps", (2,), classes=4), rng, {"hidden": (8,)})
    labels = torch.tensor(there).repeat(20).expand(2, -1)
    model.prepare(Batch(torch.zeros(2, labels.shape[1], 2), labels), rng.fork("prepare"))
    monkeypatch.setattr(model, "sample_class", lambda labels, rng: labels)
    asked = model.sample(200, rng.fork("sample"))
    assert asked.unique().tolist() == drawn
    if len(there) == 4:  # nothing changes where no class is missing
        assert torch.equal(asked, rng.fork("sample").integers(4, 200))


def test_hidden_labels_are_not_conditions():
    model, rng = make("cgan")
    batch = minibatch(rng)
    for labels in (None, torch.full_like(batch.labels, -1)):
        with pytest.raises(ContractError, match="needs the labels of a minibatch"):
            model.discriminator_loss(Batch(batch.x, labels), rng.fork("train"))


def test_the_penalty_is_half_the_squared_slope():
    plain, penalised = make("cgan", penalty=0.0)[0], make("cgan", penalty=3.0)[0]
    batch, noise = minibatch(Rng(SEEDS)), Rng(SEEDS).fork("train")
    losses = [m.discriminator_loss(batch, Rng(SEEDS, path=noise.path)) for m in (plain, penalised)]
    x = batch.x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(plain.logits(x, batch.labels).sum(), x)
    expected = 1.5 * slope.square().sum(-1).mean(-1)
    torch.testing.assert_close(losses[1] - losses[0], expected)


@pytest.mark.parametrize("name", ["cgan", "acgan", "infogan", "bigan", "ali"])
def test_convolutional_networks_are_for_images(name):
    digits = DATASETS.get("digits")()
    model, rng = make(name, digits, network="conv", width=4)
    with torch.no_grad():
        assert model.eval().sample(3, rng.fork("sample")).shape == (2, 3, 1, 8, 8)
    with pytest.raises(SpecError, match="network=conv needs images"):
        make(name, network="conv")
    with pytest.raises(SpecError, match="needs 'mlp' or 'conv', got 'mpl'; did you mean 'mlp'"):
        make(name, network="mpl")


def test_the_evaluator_brings_the_judge():
    digits = DATASETS.get("digits")()
    model, rng = make("cgan", digits, seeds=[0])
    evaluator = Evaluator(digits, make_requests([Part(name="class_accuracy")]), samples=100)
    fake = digits.points("validation")[:100]
    rows = evaluator.score(fake, Trained(model.eval(), digits), rng)
    actual = {row.id: row for row in rows}
    assert actual["class_accuracy"].value < 0.5
    assert actual["class_accuracy"].floor > 0.95
    assert "classifier:digits" in actual["class_accuracy"].protocol


# --- what is shown is named


@pytest.mark.parametrize("name", ["acgan", "improved_gan"])
def test_classifiers_learn_from_few_labels(name):
    model, _ = trained(name, 300, 12)
    with torch.no_grad():
        named = model.eval().classify(test_data(model)).argmax(-1)
    assert ((named == LABELS).float().mean(-1) > 0.95).all()


def test_generated_is_one_more_class_whose_logit_is_zero():
    model, rng = make("improved_gan", noise=(0.0, 0.0))
    batch = minibatch(rng)
    loss = model.discriminator_loss(batch, rng.fork("train"))
    fake = model.sample(40, rng.fork("train"))

    def log_softmax(x):
        logits = model.classify(x)
        return torch.cat([logits, torch.zeros_like(logits[..., :1])], -1).log_softmax(-1)

    real = log_softmax(batch.x)
    named = functional.nll_loss(
        model.classify(batch.x).log_softmax(-1).flatten(0, 1),
        batch.labels.flatten(),
        reduction="none",
    )
    is_real = real[..., :-1].logsumexp(-1).mean(-1)
    is_fake = log_softmax(fake)[..., -1].mean(-1)
    expected = named.view(2, -1).mean(-1) - 0.5 * is_real - 0.5 * is_fake
    torch.testing.assert_close(loss, expected)


def test_the_generator_matches_the_means_of_features():
    model, rng = make("improved_gan", noise=(0.0, 0.0))
    batch = minibatch(rng)
    fake = model.sample(40, rng.fork("train"))
    means = [model.read(x, rng)[1].mean(1) for x in (batch.x, fake)]
    loss = model.generator_loss(batch, rng.fork("train"))
    torch.testing.assert_close(loss, (means[0] - means[1]).square().mean(-1))


def test_without_the_unlabelled_term_only_labelled_points_teach():
    model, rng = make("improved_gan", labelled=12, unlabelled=0.0, noise=(0.0, 0.0))
    batch = minibatch(rng)
    other = Batch(batch.x + 5.0, torch.full_like(batch.labels, -1))
    one, two = (model.discriminator_loss(b, rng.fork("train")) for b in (batch, other))
    assert torch.equal(one, two)


def test_without_labels_it_is_a_plain_discriminator():
    model, rng = make("improved_gan", DATASETS.get("ring")(), noise=(0.0, 0.0))
    x = rng.normal(16, 2)
    loss = model.discriminator_loss(Batch(x), rng.fork("train"))
    fake = model.sample(16, rng.fork("train"))
    real, fake = (model.classify(p).squeeze(-1) for p in (x, fake))
    expected = 0.5 * (functional.softplus(-real) + functional.softplus(fake)).mean(-1)
    torch.testing.assert_close(loss, expected)


# --- codes that are kept readable


def test_infogan_reads_its_codes_and_they_name_the_classes():
    model, rng = trained("infogan", 600, categories=CLASSES, codes=1, latent=4, lr=1e-3)
    with torch.no_grad():
        x, category, code = model.eval().generated(400, rng.fork("codes"))
        actual = model.encode(x, rng)
        seen = model.encode(test_data(model), rng)
    assert actual.shape == (2, 400, CLASSES + 1)
    torch.testing.assert_close(actual[..., :CLASSES].sum(-1), torch.ones(2, 400))
    assert ((actual[..., :CLASSES].argmax(-1) == category).float().mean(-1) > 0.95).all()
    for read, true in zip(actual[..., -1], code.squeeze(-1), strict=True):
        assert torch.corrcoef(torch.stack([read, true]))[0, 1] > 0.8
    named = [assigned(row[:, :CLASSES], LABELS, row[:, :CLASSES]) for row in seen]
    assert min(float((row == LABELS).float().mean()) for row in named) > 0.6
    assert model.categories == CLASSES
