"""What metrics say of their columns: the order of headlines, what orders rows, what the gate allows."""

from genbench.core.metric import column_of, columns
from genbench.core.tolerance import USUAL
from genbench.report.gate.tolerance import BY_UNIT, usual_tolerance
from genbench.store import Measurement

HEADLINES = [
    *("fid", "mmd", "modes", "high_quality"),
    *("psnr", "ssim", "consistency", "near_answer", "error_over_least", "answers_hit"),
    *("answer_chances", "pair_spread", "class_kept", "precision", "target_class", "content_kept"),
    *("identified", "caption_accuracy", "caption_nll", "hidden_psnr", "recall", "nll"),
    *("bits_per_dim", "nats_per_token", "n_gram_js_2", "n_gram_js_4", "latency_1_p50_ms"),
]
UNGUARDED = {
    *("latency_1_p50_ms", "latency_1_p95_ms", "latency_1024_p50_ms", "latency_1024_p95_ms"),
    *("latency_1_min_ms", "latency_1024_min_ms"),
    *("samples_per_s", "kid_subsets", "reverse_kl_corrected", "bits_per_dim"),
}
BUILT_IN = {
    id: (metric.name, column)
    for id, (metric, column) in columns().items()
    if metric.function.__module__.startswith("genbench.")
}


def those(fits):
    return {id for id, (_, column) in BUILT_IN.items() if fits(column)}


def test_the_headlines_stand_in_their_order():
    places = {id: c.headline for id, (_, c) in BUILT_IN.items() if c.headline is not None}
    assert sorted(places, key=places.__getitem__) == HEADLINES
    assert len(set(places.values())) == len(places)


def test_roles_in_tables_and_plots():
    assert those(lambda c: c.orders) == {"fid", "mmd"}
    assert those(lambda c: c.learned) == {"fid"}
    assert those(lambda c: c.cost) == {"latency_1_p50_ms"}
    assert those(lambda c: c.orders and c.headline is None) == set()


def test_the_gates_tolerances():
    assert those(lambda c: not c.guarded) == UNGUARDED
    assert those(lambda c: c.tolerance is not None) == {
        "autocorrelation_time",
        "effective_sample_steps",
    }
    for id, (metric, column) in BUILT_IN.items():
        about = {"metric": metric, "version": 1, "protocol": "", "value": 1.0}
        tolerance = usual_tolerance(Measurement(id=id, unit=column.unit, **about))
        if id in UNGUARDED:
            assert tolerance is None
        elif id in ("autocorrelation_time", "effective_sample_steps"):
            assert tolerance == USUAL
        else:
            assert tolerance == BY_UNIT.get(column.unit, USUAL)
    assert [BY_UNIT[unit].model_dump(exclude_defaults=True) for unit in ("share", "ms")] == [
        {"absolute": 0.02, "spreads": 0.5},
        {"ratio": 1.5},
    ]


def test_columns_of_other_installations_are_plain():
    assert column_of("nobodys", "x") is None
    assert column_of("fid", "x") is None
    other = Measurement(id="x", metric="nobodys", version=1, protocol="", value=1.0, unit="ms")
    assert usual_tolerance(other) == BY_UNIT["ms"]
