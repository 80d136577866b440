"""The rules see what is planted in translators and in densities given a source."""

import pytest
import torch
from documents import worked_examples
from rule_plants import LEAVE, expect_broken, find

from genbench.contracts.check import check_plugin, find_plugins, load_rules
from genbench.contracts.small import taken
from genbench.core.model import ConditionalDensity, model
from genbench.families.translation import ReferenceTranslator
from genbench.models.translation.captioner import Captioner
from genbench.models.variational.vae import VAE

pytestmark = pytest.mark.usefixtures("registered")
load_rules()
LINEAR = worked_examples()["linear_example"][0]
SHAPE, OWN, DEPEND, SLICE = (
    "translations have their shape and range",
    "a translation is of its own source",
    "translations depend on the source",
    "a slice translates what the stack translates",
)
DENSITY = "densities given a source are those of translations"


def load(tmp_path, code):
    """Registers the plugin of a file."""
    path = tmp_path / "plugin.py"
    path.write_text("import torch\n\nfrom genbench.core.model import Cyclic\n" + code)
    ((_, name),) = find_plugins(str(path))
    return name


# --- data of a plugin's own

WORDS = '''
import torch
from torch.nn.functional import one_hot

from genbench import Dataset, DataSpec, Player, Rng, dataset, model
from genbench.core.model import ConditionalDensity
from genbench.families.translation import TranslationModel, source_in
from genbench.nn.mlp import MLP
from genbench.nn.optim import adam


class Reversed(Dataset):
    def __init__(self, whole, spec):
        super().__init__()
        self.whole, self.spec, self.name = whole, spec, spec.name

    def points(self, split):
        return self.whole.points(split).flip(1)


@dataset("words_of_words")
class WordsOfWords(Dataset):
    """Words, to be made from themselves read backwards."""

    def __init__(self, **options):
        super().__init__(**options)
        source = DataSpec("words_of_words sources", (4,), "tokens", tokens=5)
        self.spec = DataSpec("words_of_words", (4,), "tokens", tokens=5, source=source)
        self.given = Reversed(self, source)

    def points(self, split):
        return Rng([0]).fork("dataset", self.name, split).integers(5, 100, 4)[0]


@model("reader_of_words")
class ReaderOfWords(TranslationModel, ConditionalDensity):
    """Creates the odds of each word by a linear map of the words given.

    References:
        | Nobody

    Differences: none.
    """

    taxonomy, paper, year = "explicit/tractable/fully visible", "unpublished", 2026

    def __init__(self, spec, rng):
        super().__init__(spec, rng)
        self.map = MLP(spec.source.size * 5, spec.size * 5, (), rng.fork("map"))

    @classmethod
    def refuses(cls, spec):
        words = spec.source is not None and {spec.kind, spec.source.kind} == {"tokens"}
        return None if words else f"needs words of words, {spec.name} has none"

    def players(self):
        return (Player("map", self.map, self.loss, adam(3e-2)),)

    def odds(self, source):
        hot = one_hot(source, 5).to(self.mean.dtype).flatten(2)
        return self.map(hot).unflatten(-1, (-1, 5)).log_softmax(-1)

    def translate(self, source, rng):
        odds = self.odds(source)
        return (odds - rng.uniform(*odds.shape[1:]).clamp_min(1e-9).log().neg().log()).argmax(-1)

    def log_prob_given(self, x, source, rng):
        return self.odds(source).gather(-1, x.unsqueeze(-1)).squeeze(-1).sum(-1)

    def loss(self, batch, rng):
        return -self.log_prob_given(batch.x, source_in(batch), rng).mean(-1)
'''


def test_a_model_of_no_other_data_is_checked_on_those_of_its_plugin(tmp_path):
    path = tmp_path / "words.py"
    path.write_text(WORDS)
    names = [name for kind, name in find_plugins(str(path)) if kind == "model"]
    results = [result for name in names for result in check_plugin("model", name)]
    assert [(r.rule, r.reason) for r in results if r.status == "broken"] == []
    assert {case for r in results for case in r.cases} == {"words_of_words"}
    improves = next(r for r in results if r.rule == "training improves the model")
    assert improves.status == "kept"


# --- translations

NOISE = "x = self.output(source)\n        x = x + 0.01 * rng.normal(*x.shape[1:])\n"
FIRST = "h = source[:, : source.shape[1] // 2].mean(1, keepdim=True)"
#: by what is wrong: the rule, what is said, and the translation
TRANSLATIONS = {
    "the first source": (
        OWN,
        "no mean",
        f"source = source[:, :1].expand_as(source)\n        {NOISE}",
    ),
    "a neighbour's source": (
        *(OWN, "no mean"),
        "if source.shape[1] % 2 == 0:\n"
        "            source = source.unflatten(1, (-1, 2)).flip(2).flatten(1, 2)\n"
        f"        {NOISE}",
    ),
    "the source after next": (
        *(OWN, "no mean"),
        "if source.shape[1] % 4 == 0:\n"
        "            source = source.unflatten(1, (-1, 2, 2)).flip(2).flatten(1, 3)\n"
        f"        {NOISE}",
    ),
    "a half's mean": (
        OWN,
        "no mean",
        f"{FIRST}\n        source = 0.9 * source + 0.1 * h\n        {NOISE}",
    ),
    "the number of sources": (
        *(OWN, "of which 5 are given"),
        "x = self.output(source) + 1 / source.shape[1]\n",
    ),
    "the place": (
        *(OWN, "in another order"),
        "x = self.output(source)\n        x = x + torch.arange(x.shape[1]).view(-1, 1, 1, 1) / 1000\n",
    ),
    "clamps": (SHAPE, LEAVE, "source.clamp_(0.2, 0.8)\n        x = self.output(source)\n"),
    "clamps with gradients": (
        DEPEND,
        LEAVE,
        "source.clamp_(0.2, 0.8)\n        x = self.output(source)\n",
    ),
    "clamps unseen": (
        SHAPE,
        LEAVE,
        "source.data.clamp_(0.2, 0.8)\n        x = self.output(source)\n",
    ),
    "adds": (SHAPE, LEAVE, "source.add_(0.01)\n        x = self.output(source)\n"),
    "empties": (SHAPE, LEAVE, "x = self.output(source)\n        source.zero_()\n"),
}


@pytest.mark.parametrize("plant", TRANSLATIONS)
def test_wrong_translations_are_seen(plant, tmp_path):
    rule, text, body = TRANSLATIONS[plant]
    expect_broken(
        "model", rule, text, load(tmp_path, LINEAR.replace("x = self.output(source)\n", body))
    )


BACK = """    def back(self, x, rng):
        size = self.spec.source.size
        y = x.flatten(2).repeat(1, 1, -(-size // self.spec.size))[..., :size]
        y = y.unflatten(-1, self.spec.source.event)
        return y.clamp(0, 1)

    def loss("""
BACKS = {
    "one for all": (DEPEND, "back needs other outputs", "y = y * 0 + 0.5"),
    "no gradient": (DEPEND, "back needs to pass gradients on", "y = y.detach()"),
    "global noise": (SHAPE, "back, called twice", "y = torch.rand_like(y)"),
    "out of range": (SHAPE, "what back returns need values in", "return 3 * y"),
    "mixed": (OWN, "what back makes of rows", "y = (y + y.flip(1)) / 2"),
    "mixed seeds": (SLICE, "what back makes", "y = (y + y.mean(0)) / 2"),
    "empties": (SHAPE, f"back {LEAVE}", "x.zero_()"),
}


def with_way_back(change):
    code = LINEAR.replace("(TranslationModel):", "(TranslationModel, Cyclic):")
    return code.replace("    def loss(", BACK.replace("return", f"{change}\n        return"))


@pytest.mark.parametrize("plant", BACKS)
def test_wrong_ways_back_are_seen(plant, tmp_path):
    rule, text, change = BACKS[plant]
    expect_broken("model", rule, text, load(tmp_path, with_way_back(change)))


def test_a_right_way_back_keeps_the_rules_also_of_unpaired_data(tmp_path):
    name = load(tmp_path, with_way_back("pass"))
    assert {find("model", name, rule).status for rule in (SHAPE, OWN, DEPEND, SLICE)} == {"kept"}
    assert "quarter_turn" in taken(name)


def test_a_translator_that_takes_other_models_data_alone_is_given_them(tmp_path):
    refuses = (
        "    @classmethod\n    def refuses(cls, spec):\n"
        "        right = spec.source is not None and not spec.paired\n"
        "        return None if right else f'not {spec.name}'\n\n    def players("
    )
    name = load(tmp_path, LINEAR.replace("    def players(", refuses))
    assert taken(name) == ["quarter_turn"]
    assert find("model", name, "it can be built").status == "kept"


LOSS = "        return (batch.x - self"
WRITES = {
    "loss": (
        "losses are one number per seed",
        LOSS,
        f"        batch.source.data.mul_(0.5)\n{LOSS}",
    ),
    "prepare": (
        "it can be built",
        "    def players(",
        "    def prepare(self, batch, rng):\n        super().prepare(batch, rng)\n"
        "        batch.source[0].mul_(0.5)\n\n    def players(",
    ),
}


@pytest.mark.parametrize("method", WRITES)
def test_training_that_writes_into_its_batch_is_named(method, tmp_path):
    rule, old, new = WRITES[method]
    expect_broken("model", rule, LEAVE, load(tmp_path, LINEAR.replace(old, new)))


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        ("log_prob", "log prob is one number per point"),
        ("encode", "encode returns codes"),
        ("reconstruct", "reconstruct returns points"),
    ],
)
def test_abilities_that_write_into_their_input_are_named(method, rule):
    def write(self, x, rng):
        out = getattr(VAE, method)(self, x, rng)
        x.data.zero_()
        return out

    model("planted")(type("Planted", (VAE,), {"__doc__": VAE.__doc__, method: write}))
    expect_broken("model", rule, f"{method} {LEAVE}")


# --- densities given a source

DENSITIES = {
    "positive": (SHAPE, "needs values <= 0", lambda p: p + 100),
    "of the minibatch": (
        SHAPE,
        "needs shape (2, 32), got (2, 1)",
        lambda p: p.mean(1, keepdim=True),
    ),
    "global noise": (SHAPE, "called twice", lambda p: p - torch.rand_like(p)),
    "infinite": (SHAPE, "needs finite values", lambda p: p - torch.inf),
    "mixed rows": (
        OWN,
        "log_prob_given makes of rows",
        lambda p: 1.5 * p - p.mean(1, keepdim=True) / 2,
    ),
    "mixed seeds": (SLICE, "log_prob_given makes", lambda p: (p + p.mean(0)) / 2),
    "scaled": (DENSITY, "needs to sum to 1 over all words", lambda p: p / 2),
    "normalised, and others": (
        DENSITY,
        "needs to follow log_prob_given",
        lambda p: p.sort().values,
    ),
}


@pytest.mark.parametrize("plant", DENSITIES)
def test_wrong_densities_given_a_source_are_seen(plant):
    rule, text, change = DENSITIES[plant]

    class Planted(Captioner):
        __doc__ = Captioner.__doc__

        def log_prob_given(self, x, source, rng):
            return change(super().log_prob_given(x, source, rng))

    model("planted")(Planted)
    expect_broken("model", rule, text)


@pytest.mark.parametrize("plant", ["blind", "uniform"])
def test_captions_that_do_not_follow_their_density_are_seen(plant):
    class Planted(Captioner):
        __doc__ = Captioner.__doc__

        def translate(self, source, rng):
            if plant == "blind":
                return super().translate(torch.full_like(source, 0.5), rng)
            return rng.integers(self.spec.tokens, source.shape[1], *self.spec.event)

    model("planted")(Planted)
    expect_broken("model", DENSITY, "needs to follow log_prob_given")


def plant_normal(width=0.3, add=0.0, takes=True):
    @model("planted")
    class Planted(ReferenceTranslator, ConditionalDensity):
        @classmethod
        def refuses(cls, spec):
            return super().refuses(spec) or (
                None if takes and spec.event == (2,) else f"not {spec.name}"
            )

        def translate(self, source, rng):
            return source + 0.3 * rng.normal(*source.shape[1:])

        def log_prob_given(self, x, source, rng):
            normal = torch.distributions.Normal(source, width)
            return normal.log_prob(x).sum(-1) + add

    return find("model", "planted", DENSITY)


def test_densities_of_the_plane_given_a_source_are_checked_too():
    assert plant_normal().status == "kept"
    for change in ({"width": 0.4}, {"add": -0.5}):
        finding = plant_normal(**change)
        assert "needs to follow log_prob_given" in str(finding.reason)
    assert "needs a mass of at most 1" in str(plant_normal(add=0.5).reason)


def test_a_density_that_takes_no_tiny_data_is_not_called_right():
    finding = plant_normal(takes=False)
    assert finding.status == "not checked"
    assert "is not compared with what translate draws" in str(finding.reason)
