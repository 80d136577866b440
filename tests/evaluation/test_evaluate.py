import pytest
import torch

from genbench.core.dataset import DATASETS
from genbench.core.errors import ContractError, DataError
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS, Column, Metric, Score
from genbench.core.rng import Rng
from genbench.core.spec import Part
from genbench.evaluation.comparison import Reference
from genbench.evaluation.evaluate import evaluate
from genbench.evaluation.evaluator import Evaluator
from genbench.evaluation.extractors import default_features
from genbench.evaluation.requests import MetricRequest, make_requests
from genbench.evaluation.scoring import Facts, MetricCall, compute_scores, make_row, measure
from genbench.evaluation.side import Side

RING = DATASETS.get("ring")()


def parts(*names):
    return [Part(name=name) if isinstance(name, str) else Part(**name) for name in names]


def compared(fake, real, *names, dataset=None, lenient=False, memory=None):
    fake, real = (Side.of(x, EXTRACTORS.get("identity")) for x in (fake, real))
    reference = Reference(real, dataset, memory=memory)
    requests = make_requests(parts(*names))
    calls = [reference.make_call(request, fake, Rng([0])) for request in requests]
    return measure(calls, lenient=lenient)


def toy(function, *columns, **given):
    meaning = {column: Column("lower", "nats") for column in columns or ("toy",)}
    return Metric("toy", function, given.pop("view", "points"), meaning, **given)


def row(score, **options):
    entry = toy(lambda real, fake, *, rng, a=1, b=2: 0.0)
    return make_row(MetricRequest(entry, options), "toy", score, Facts(["identity", "n=2/2"]))


def test_a_protocol_names_every_key_once_and_the_scores_own_value_wins():
    """And ends, since the metric is a user's, with what its source is."""
    score = Score(1.0, protocol={"b": 25, "c": 0.123456})
    told = [row(one, b=1000, a=0.5).protocol.rpartition(", code=") for one in (score, Score(1.0))]
    assert told[0][0] == "identity, n=2/2, a=0.5, b=25, c=0.1235"
    assert told[1][0] == "identity, n=2/2, a=0.5, b=1000"
    assert [len(code) for *_, code in told] == [8, 8]


def test_kid_says_what_its_subsets_were():
    rng = Rng([0])
    found = compared(rng.normal(40, 2)[0], rng.normal(40, 2)[0], "kid")
    told = {measured.id: measured.protocol for measured in found}
    assert told["kid_subsets"] == (
        "identity, n=40/40, subset_seed=2020, subset_size=20, subsets=100"
    )
    assert told["kid"].count("subset_size") == 1


def test_samples_in_an_order_that_means_something_are_not_judged_by_the_first_ones():
    """Samples sorted by mode: the first 2,500 hold 5 of 8 modes, the first 1,000 two of them."""
    x = RING.draw(4000, Rng([1]))[0]
    ordered = x[torch.cdist(x.double(), RING.centres).argmin(1).argsort()]
    mixed, found = (
        evaluate(samples.numpy(), "ring:test", metrics="modes,wasserstein")
        for samples in (x, ordered)
    )
    assert found["modes"] == found["modes_strict"] == 8
    assert found["reverse_kl"] < 0.005
    for column in ("wasserstein_1", "wasserstein_2"):
        assert found[column] == pytest.approx(mixed[column], rel=0.5)
    told = {measured.id: measured for measured in found.rows}
    assert told["wasserstein_1"].kind == "estimate"
    assert "points=1000" in told["wasserstein_1"].protocol
    few = evaluate(ordered[::10].numpy(), ordered[5::10].numpy(), metrics="wasserstein")
    assert {measured.kind for measured in few.rows} == {"exact"}
    same = evaluate(x.numpy(), x.numpy(), metrics="wasserstein")
    assert same["wasserstein_1"] == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_becomes_null_with_a_reason(value):
    found = row(Score(value, stderr=1.0))
    assert (found.value, found.stderr, found.reason) == (None, None, f"toy is {value}")


def test_a_number_beyond_float32_is_kept():
    assert row(Score(1e300)).value == 1e300


def test_a_question_has_a_key_of_its_own():
    def key(name="kid", **given):
        options = given.pop("options", {})
        return make_requests(parts({"name": name, "options": options}), **given)[0].key

    keys = {
        key(samples=10),
        key(samples=20),
        key(samples=10, features=Part(name="identity")),
        key(samples=10, features=Part(name="inception_v3_compat", options={"weights": "w.pth"})),
        key(samples=10, options={"subsets": 5}),
        key("fid", samples=10),
    }
    assert len(keys) == 6
    assert key(samples=10, options={"subsets": 100}) == key(samples=10)
    assert key("mmd", samples=10, features=Part(name="identity")) == key("mmd", samples=10)
    plain = Part(name="inception-v3-compat", options={"weights": None})
    assert key(features=plain) == key(features=Part(name="inception_v3_compat"))


def test_metrics_are_asked_once_and_columns_stand_for_their_metric():
    requests = make_requests(parts("recall", "prdc", "fid", "fid"))
    assert [request.metric.name for request in requests] == ["prdc", "fid"]


def test_scores_are_those_of_the_metric_called_directly():
    evaluator = Evaluator(RING, make_requests(parts("fid", "mmd")), samples=200)
    fake = 1.1 * RING.draw(200, Rng([5]))[0]
    rows = {(m.id, m.split): m for m in evaluator.score(fake, None, Rng([0]))}
    real = RING.points("test")[:200]
    rng = Rng([0])
    assert rows["fid", "test"].value == METRICS.get("fid").function(real, fake, rng=rng)
    assert rows["mmd", "test"].n_real == rows["mmd", "test"].n_fake == 200
    spare = RING.points("validation")[:200]
    assert rows["fid", "test"].floor == METRICS.get("fid").function(real, spare, rng=rng)
    assert rows["fid", "train"].floor is None
    assert rows["fid", "train"].value != rows["fid", "test"].value


def test_the_reference_bounds_the_number_of_points():
    digits = DATASETS.get("digits")()
    evaluator = Evaluator(digits, make_requests(parts("mmd")), samples=10_000)
    assert evaluator.n == 500
    found = evaluator.score(digits.points("train"), None, Rng([0]))
    assert found[0].protocol.startswith("n=500/500")


def test_points_of_a_floor_are_not_in_the_reference():
    digits = DATASETS.get("digits")()
    evaluator = Evaluator(digits, [], samples=500)
    test = {tuple(row) for row in evaluator.test.real.view("points").tolist()}
    assert not test & {tuple(row) for row in evaluator.spare.view("points").tolist()}


def test_a_metric_that_does_not_apply_is_null_with_a_reason():
    digits = DATASETS.get("digits")()
    evaluator = Evaluator(digits, make_requests(parts("modes", "nll")), samples=100)
    rows = {m.id: m for m in evaluator.score(digits.points("train")[:100], None, Rng([0]))}
    assert rows["modes"].value is rows["nll"].value is None
    assert rows["modes"].reason == "digits has no known modes"
    assert rows["nll"].reason == "nll needs a model, got samples alone"


def test_a_metric_that_returns_other_columns_is_refused():
    entry = toy(lambda real, fake, *, rng: {"a": 1.0}, "a", "b")
    with pytest.raises(ContractError, match=r"needs to return \['a', 'b'\], got \['a'\]"):
        compute_scores([MetricCall(MetricRequest(entry), (None, None), Rng([0]))])


def test_features_that_suit_a_data_set():
    assert default_features(RING).name == default_features(None).name == "identity"
    assert default_features(DATASETS.get("digits")()).name == "classifier"


def test_arrays_of_two_shapes_are_refused():
    with pytest.raises(DataError, match=r"one shape, got samples \(4, 3\) and reference \(4, 2\)"):
        evaluate(torch.zeros(4, 3), torch.ones(4, 2), metrics="mmd")


def test_a_metric_that_refuses_its_points_leaves_the_others_alone():
    x = Rng([0]).normal(4, 2)[0]
    with pytest.raises(DataError, match="more than 5"):
        compared(x, x, "prdc", "mmd", "fid")
    rows = {row.id: row for row in compared(x, x + 1, "prdc", "mmd", "fid", lenient=True)}
    alone = {row.id: row for row in compared(x, x + 1, "mmd", "fid")}
    assert "more than 5" in rows["recall"].reason
    assert {rows[name].value for name in ("precision", "recall", "density", "coverage")} == {None}
    assert all(rows[name].value == alone[name].value is not None for name in alone)


def test_a_bug_in_a_metric_is_told_with_its_place():
    def broken(real, fake, *, rng):
        raise RuntimeError("planted")

    (row,) = measure([MetricCall(MetricRequest(toy(broken)), (None, None))], lenient=True)
    assert row.value is None
    assert "planted" in row.reason
    assert "RuntimeError" in row.reason
    assert "test_evaluate.py" in row.reason


def test_a_metric_whose_matrices_do_not_fit_says_so_and_the_others_are_scored():
    x = Rng([0]).normal(50, 40)[0]
    rows = {row.id: row for row in compared(x, x + 1, "fid", "kid", memory=90_000)}
    assert rows["fid"].value is None
    assert "matrices of 40 dimensions" in rows["fid"].reason
    assert rows["kid"].value is not None


@pytest.mark.parametrize("kinds", [(torch.float32, torch.float64), (torch.float64, torch.float32)])
def test_arrays_of_two_precisions_are_compared(kinds):
    rng = Rng([0])
    fake, real = rng.normal(30, 2)[0].to(kinds[0]), rng.normal(30, 2)[0].to(kinds[1])
    found = compared(fake, real, "fid", "kid", "mmd", "prdc")
    assert all(measured.value is not None for measured in found)


def test_arrays_leave_metrics_of_models_and_truths_null():
    rng = Rng([0])
    found = compared(rng.normal(9, 2)[0], rng.normal(9, 2)[0], "modes", "nll")
    reasons = {measured.id: measured.reason for measured in found}
    assert reasons["modes"] == "modes needs a data set whose truth is known as reference"
    assert reasons["nll"] == "nll needs a model, got samples alone"


def test_a_registered_reference_lends_its_truth():
    test = RING.points("test")
    found = compared(test, test, "modes", dataset=RING)
    assert {m.id: m.value for m in found}["modes"] == 8
