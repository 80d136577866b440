from collections import Counter

import pytest
from test_store import record

from genbench.store import Measurement, Store
from genbench.store.merge import merge


@pytest.fixture
def stores(tmp_path):
    return [Store(tmp_path / name) for name in "abc"]


def scored(value=1.5, **changed):
    """A record of another machine and time, whose fid is given."""
    made = record(**changed)
    made.metrics[0] = made.metrics[0].model_copy(update={"value": value, "seconds": 9.0})
    made.used.seconds, made.environment = 7.0, {"cpu": "another"}
    made.finished = "2030-01-01T00:00:00+00:00"
    return made


def test_the_union_holds_every_cell_once_with_its_artifacts(stores):
    a, b, c = stores
    one, two = record(seed=0), record(seed=1)
    two.artifacts = {"samples": b.put(b"points", ".npz")}
    a.write(one)
    b.write(two)
    b.write(scored(seed=0))  # equal but for times and the machine
    made = merge([a, b], c)
    assert (made.written, made.same, made.conflicts) == (2, 1, [])
    assert c.read(one.spec) == one
    assert c.read(two.spec) == two
    assert c.content(two.artifacts["samples"]) == b"points"
    assert c.problems() == []
    again = {p: p.stat().st_mtime_ns for p in c.files()}
    merge([a, b], c)
    assert {p: p.stat().st_mtime_ns for p in c.files()} == again


@pytest.mark.parametrize(
    ("keep", "value"), [("first", 1.5), ("last", 2.5), ("newest", 2.5), ("none", None)]
)
def test_conflicts_are_shown_and_settled_as_told(stores, keep, value):
    a, b, c = stores
    a.write(record())
    b.write(scored(2.5))
    made = merge([a, b], c, keep=keep)
    assert [conflict.differences for conflict in made.conflicts] == [["fid (test): 1.5 | 2.5"]]
    if keep == "none":
        assert not c.root.exists()
    else:
        assert c.read(record().spec).measurement("fid").value == value


def test_newest_goes_by_time_and_not_by_order(stores):
    a, b, c = stores
    a.write(scored(2.5))
    b.write(record())
    merge([a, b], c, keep="newest")
    assert c.read(record().spec).measurement("fid").value == 2.5


def test_measurements_of_both_are_united(stores):
    a, b, c = stores
    a.write(record())
    more = scored()
    extra = Measurement(id="mmd", metric="mmd", version=1, protocol="q", value=0.1)
    more.metrics.append(extra)
    b.write(more)
    made = merge([a, b], c)
    assert made.conflicts == []
    assert c.read(more.spec).metrics == [*record().metrics, extra]


@pytest.mark.parametrize("turned", [False, True])
def test_a_failure_gives_way(stores, turned):
    a, b, c = stores
    failed = record().model_copy(update={"status": "timeout", "metrics": [], "reason": "slow"})
    a.write(failed)
    b.write(record())
    assert merge([b, a] if turned else [a, b], c).conflicts == []
    assert c.read(failed.spec).status == "ok"


def test_what_one_folder_holds_at_its_own_budget_is_nobodys_other_scale(stores):
    a, b, c = stores
    a.write(record().model_copy(update={"scale": "quick"}))
    b.write(record())
    assert merge([a, b], c).same == 1
    assert c.read(record().spec).scale is None


def test_what_is_no_record_is_told_of_and_left_out(stores):
    a, b, c = stores
    path = a.write(record())
    path.write_text("{")
    b.write(record(seed=1))
    made = merge([a, b], c)
    assert made.written == 1
    assert len(made.set_aside) == 1
    assert made.set_aside[0].startswith(str(path))


def test_a_source_may_be_the_target(stores):
    a, b, _ = stores
    a.write(record())
    b.write(record(seed=1))
    assert merge([a, b], a).written == 2
    assert len(list(a.records())) == 2


def test_records_that_one_folder_holds_are_read_once(tmp_path, monkeypatch):
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    for store, seeds in ((one, (0, 1, 2)), (two, (2, 3))):
        for seed in seeds:
            store.write(record(seed=seed))
    reads = Counter()
    plain = Store.parse

    def parse(self, path, **how):
        reads[path] += 1
        return plain(self, path, **how)

    monkeypatch.setattr(Store, "parse", parse)
    result = merge([one, two], to)
    assert (result.written, result.same, result.conflicts) == (4, 1, [])
    twice = one.path(record(seed=2).spec), two.path(record(seed=2).spec)
    assert {path for path, count in reads.items() if count > 1} == set(twice)


def test_where_a_conflict_stops_it_all_that_cannot_be_read_is_said(tmp_path):
    one, two, to = (Store(tmp_path / name) for name in ("one", "two", "to"))
    one.write(record(seed=0))
    other = record(seed=0)
    other.metrics[0].value += 1
    two.write(other)
    damaged = two.write(record(seed=1))
    damaged.write_text("{}")
    result = merge([one, two], to)
    assert len(result.conflicts) == 1
    assert [str(damaged) in text for text in result.set_aside] == [True]
    assert not to.root.exists()


@pytest.mark.parametrize("keep", ["first", "last", "newest"])
def test_the_first_start_of_a_cell_outlives_the_record_that_has_it(stores, keep):
    a, b, c = stores
    first, later = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
    a.write(record().model_copy(update={"started": first}))
    b.write(scored(2.5).model_copy(update={"started": later}))
    merge([a, b], c, keep=keep)
    assert c.read(record().spec).begun == first
