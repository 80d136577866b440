"""What every registered metric must keep, whoever wrote it."""

import inspect
import math
from itertools import pairwise

import pytest
import torch

from genbench.core.dataset import Truth
from genbench.core.errors import DataError
from genbench.core.metric import METRICS, Score, Trained
from genbench.core.model import Density, Model
from genbench.core.rng import Rng
from genbench.core.streams import MixtureDataset
from genbench.points.tokens import n_gram_law

ALL = METRICS.all()
ANGLES = torch.arange(8, dtype=torch.float64) * (2 * math.pi / 8)
#: columns that diversity alone moves: noise widens a fake set, so only lost modes make them worse
DIVERSITY = {
    "recall",
    "modes_strict",
    "modes",
    "reverse_kl",
    "reverse_kl_corrected",
    "inception_score",
}
#: columns of the spread over random parts of the points, which another order makes other parts
SPREADS = {"inception_score_std", "kid_subsets_std"}
#: columns of clock time differ from call to call
TIMED = {"ms", "samples/s"}
N = 1200
FAST = {
    "latency": {"seconds": 0.02},
    "wasserstein": {"points": 250},
    "mmd_test": {"points": 200, "permutations": 100},
    "throughput": {"seconds": 0.02, "largest": 64},
    "kl_to_truth": {"points": N},
}
#: options under which every point counts
WHOLE = {"wasserstein": {"points": N}, "mmd_test": {"points": N, "permutations": 200}}


class Mixture(MixtureDataset):
    """Eight modes on a circle."""

    name = "mixture"
    centres = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=-1)
    std = 0.1
    entropy = 0.0


class Exact(Model, Density):
    """The true density, blurred by noise of a given width and restricted to some modes."""

    name = "exact"
    taxonomy = "reference"

    def __init__(self, dataset, noise=0.0):
        super().__init__(dataset.spec, Rng([0]))
        self.dataset, self.noise = dataset, noise

    def players(self):
        return ()

    def sample(self, n, rng):
        x = self.dataset.draw(n, rng)
        return self.dataset.to_model(x + self.noise * rng.normal(*x.shape[1:]))

    def log_prob(self, x, rng):
        centres, std = self.dataset.centres.to(x), math.hypot(self.dataset.std, self.noise)
        square = (self.dataset.to_data(x).unsqueeze(-2) - centres).square().sum(-1) / std**2
        density = torch.logsumexp(-0.5 * square, -1) - math.log(8 * 2 * math.pi * std**2)
        return density - self.dataset.log_volume


DATA = Mixture()


def tokens(x):
    """A point of the plane as a word of two letters of eight; other arrays stay as they are."""
    if x is None or x.shape[1:] != (2,) or not x.isfinite().all():
        return x
    return ((x + 2) * 2).floor().clamp(0, 7).long()


TEXT = Truth(n_grams=lambda n: n_gram_law(tokens(DATA.points("test")), n, 8))


def draws(n, seed, modes=8, noise=0.0):
    rng = Rng([seed])
    centres = DATA.centres[:modes].float()
    x = centres[rng.integers(modes, n)[0]] + DATA.std * rng.normal(n, 2)[0]
    return x + noise * rng.fork("noise").normal(n, 2)[0]


def logits(x):
    """Log odds of the eight modes; arrays that are no points of the plane stay as they are."""
    if x is None or x.shape[1:] != (2,):
        return x
    return -(x.double().unsqueeze(1) - DATA.centres).square().sum(-1) / (2 * DATA.std**2)


def scores(entry, fake=None, *, real=None, noise=0.0, seed=5, options=FAST):
    """All columns of a metric as Scores, whatever its view."""
    rng = Rng([seed])
    real = draws(N, 1) if real is None else real
    given = {
        "points": (real, fake),
        "features": (real, fake),
        "events": (real, fake),
        "logits": (logits(real), logits(fake)),
        "memory": (draws(N, 3), real, fake),
        "truth": (tokens(fake), TEXT) if "n_grams" in entry.needs else (fake, DATA.truth),
        "model": (Trained(Exact(DATA, noise), DATA), real),
    }[entry.view]
    result = entry.function(*given, rng=rng, **options.get(entry.name, {}))
    if not isinstance(result, dict):
        result = {entry.name: result}
    return {k: v if isinstance(v, Score) else Score(float(v)) for k, v in result.items()}


@pytest.fixture(params=sorted(ALL))
def entry(request):
    return ALL[request.param]


def test_the_name_is_the_files(entry):
    assert entry.function.__module__.rpartition(".")[2] == entry.name


def test_columns_declared_are_those_returned_with_their_meaning(entry):
    found = scores(entry, draws(N, 2))
    assert set(found) == set(entry.columns)
    for name, score in found.items():
        column = entry.columns[name]
        assert column.unit
        assert column.doc
        assert (score.value is None) == bool(score.reason), name
        assert score.value is None or math.isfinite(score.value)


def test_columns_belong_to_one_metric_each():
    names = [name for entry in ALL.values() for name in entry.columns]
    assert len(names) == len(set(names))


def test_options_are_typed_keywords_with_defaults(entry):
    parameters = inspect.signature(entry.function).parameters
    assert parameters["rng"].kind is inspect.Parameter.KEYWORD_ONLY
    for name in entry.options:
        assert parameters[name].annotation is not inspect.Parameter.empty
    first = {
        "truth": ["fake", "truth"],
        "model": ["trained", "test"],
        "memory": ["train", "test"],
    }
    assert list(parameters)[:2] == first.get(entry.view, ["real", "fake"])


def test_what_it_needs_is_known(entry):
    from genbench.core.model import ABILITIES

    known = {
        *ABILITIES,
        "log_prob",
        "entropy",
        "centres",
        "std",
        "box",
        "distance",
        "n_grams",
        "modes",
    }
    assert set(entry.needs) <= known


def test_real_against_real_is_near_the_ideal(entry):
    ladder = 0.0 if entry.view == "model" else 3.0
    good = scores(entry, draws(N, 2))
    bad = [scores(entry, draws(N, 2, noise=ladder)), scores(entry, draws(N, 2, modes=1))]
    for name, column in entry.columns.items():
        if column.ideal is None or good[name].value is None:
            continue
        worst = max(abs(b[name].value - column.ideal) for b in bad if b[name].value is not None)
        assert abs(good[name].value - column.ideal) <= max(0.15 * worst, 0.06), name


def test_worse_samples_score_worse_in_the_declared_direction(entry):
    rungs = {
        "noise": [scores(entry, draws(N, 2, noise=w), noise=w) for w in (0.0, 0.3, 1.0, 3.0)],
        "modes": [scores(entry, draws(N, 2, modes=k)) for k in (8, 4, 2, 1)],
    }
    for name, column in entry.columns.items():
        ladder = rungs["modes" if name in DIVERSITY else "noise"]
        values = [rung[name].value for rung in ladder]
        indifferent = entry.view == "model" and "density" not in entry.needs
        if column.better == "none" or indifferent or None in values:
            # a metric of cost does not depend on quality; one without a value has given its reason
            assert indifferent or column.better == "none" or ladder[0][name].reason, name
            continue
        sign = 1 if column.better == "lower" else -1
        steps = [sign * (b - a) for a, b in pairwise(values)]
        assert min(steps) >= -0.02 * abs(values[-1] - values[0]), (name, values)
        assert sign * (values[-1] - values[0]) > 0, (name, values)


def test_order_of_points_does_not_matter(entry):
    real, fake = draws(N, 1), draws(N, 2, noise=0.2)
    order = Rng([9]).permutation(N)[0]
    whole = {**FAST, **WHOLE}
    one = scores(entry, fake, real=real, options=whole)
    two = scores(entry, fake[order], real=real.flip(0), options=whole)
    for name, column in entry.columns.items():
        if column.unit in TIMED or name in SPREADS or one[name].value is None:
            continue
        # an estimate from random subsets sees other points
        slack = 4 * one[name].stderr if one[name].kind == "estimate" and one[name].stderr else 0
        assert two[name].value == pytest.approx(one[name].value, rel=1e-6, abs=max(1e-9, slack)), (
            name
        )


def test_two_calls_agree_and_leave_the_global_generator_alone(entry):
    fake = draws(N, 2)
    kept = fake.clone()
    before = torch.get_rng_state()
    one, two = scores(entry, fake), scores(entry, fake)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(fake, kept)
    for name, column in entry.columns.items():
        assert column.unit in TIMED or one[name] == two[name], name


BAD = {
    "three axes": torch.zeros(40, 2, 1),
    "one axis": torch.zeros(40),
    "other dimension": torch.zeros(40, 3),
    "nothing": torch.zeros(0, 2),
    "not a number": torch.full((40, 2), torch.nan),
    "infinite": torch.full((40, 2), torch.inf),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_refused_with_advice(entry, case):
    if entry.view == "model":
        if "density" in entry.needs and case not in ("not a number", "infinite"):
            with pytest.raises(DataError, match=rf"^{entry.name} needs .*, got .*; "):
                scores(entry, real=BAD[case])
        return
    if "n_grams" in entry.needs and case == "other dimension":
        return  # sequences may be of any length
    if entry.view == "truth" and "centres" not in entry.needs and case == "other dimension":
        return  # a density or a manifold does not tell of how many coordinates it is
    with pytest.raises(DataError, match=rf"^{entry.name} needs .*, got .*; "):
        scores(entry, BAD[case])


def test_integer_points_are_welcome(entry):
    if entry.view == "model":
        return
    found = scores(entry, (10 * draws(N, 2)).long(), real=(10 * draws(N, 1)).long())
    assert all(score.value is not None or score.reason for score in found.values())
