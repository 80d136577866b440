from collections import Counter

import pytest
from held_cells import held
from test_store import record

from genbench.core.errors import StoreError
from genbench.store import Measurement, Store
from genbench.store.locks import Locks
from genbench.store.merge import merge
from genbench.store.record import list_machines


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


def test_newest_goes_by_moments_and_not_by_their_text(stores):
    a, b, c = stores
    later, earlier = "2026-01-01T10:00:00+00:00", "2026-01-01T11:00:00+02:00"
    a.write(record().model_copy(update={"finished": later}))
    b.write(scored(2.5).model_copy(update={"finished": earlier}))
    merge([a, b], c, keep="newest")
    assert c.read(record().spec).measurement("fid").value == 1.5


def timed(id, cpu, workers=1):
    """A record that times a column, on a machine."""
    made = record()
    about = {"metric": "latency", "version": 1, "protocol": "q", "value": 3.0, "key": id}
    made.metrics.append(Measurement(id=id, unit="ms", **about))
    made.environment = {"cpu": cpu, "workers": workers}
    return made


@pytest.mark.parametrize("turned", [False, True])
def test_times_never_stand_under_another_machine(stores, turned):
    a, b, c = stores
    a.write(record().model_copy(update={"environment": {"cpu": "one"}}))
    b.write(timed("latency", "two"))
    for _ in range(2):
        merge([b, a] if turned else [a, b], c)
        united = c.read(record().spec)
        assert united.find_conditions(united.metrics[-1])["cpu"] == "two"
        assert (united.environment["cpu"], united.metrics[-1].id) == (
            ["one", "two"][turned],
            "latency",
        )
        assert list_machines([united]) == ["cpu two, workers 1"]


@pytest.mark.parametrize("machine", [("one", 1), ("two", 1), ("one", 2)])
def test_times_of_two_machines_keep_theirs(stores, machine):
    a, b, c = stores
    a.write(timed("latency", "one"))
    b.write(timed("throughput", *machine))
    assert merge([a, b], c).conflicts == []
    united = c.read(record().spec)
    places = {
        m.id: tuple(united.find_conditions(m).values()) for m in united.metrics if m.unit == "ms"
    }
    assert places == {"latency": ("one", 1), "throughput": machine}
    assert (united.metrics[-1].machine is None) == (machine == ("one", 1))


def test_what_another_run_or_merge_has_in_hand_stops_a_merge_before_it_writes(stores):
    a, _, c = stores
    path = a.write(record(seed=0))
    a.write(record(seed=1))
    with (
        held(c.root, record(seed=0).cell),
        pytest.raises(
            StoreError, match=f"1 of the files .* such as {path}, .* nothing was written"
        ),
    ):
        merge([a], c)
    assert c.files() == []
    assert merge([a], c).written == 2
    c.write(record(seed=2))
    with held(c.root, record(seed=2).cell):  # which no other folder holds
        assert merge([a], c).written == 3


def test_what_others_write_before_a_merge_has_its_locks_is_looked_at_again(stores, monkeypatch):
    a, b, c = stores
    a.write(record())
    take, other = Locks.take, scored(2.5)

    def late(self, cell):
        if not c.files():
            c.write(other)
        return take(self, cell)

    monkeypatch.setattr(Locks, "take", late)
    assert len(merge([a], c).conflicts) == 1
    assert c.read(other.spec) == other
    assert merge([a], b).conflicts == []


@pytest.mark.parametrize("keep", ["none", "last"])
def test_what_a_later_genbench_wrote_keeps_its_place(stores, keep):
    a, _, c = stores
    a.write(record())
    path = c.write(record())
    later = path.read_text().replace("genbench.record/2", "genbench.record/9")
    path.write_text("\n".join(line for line in later.split("\n") if '"seal"' not in line))
    held = path.read_text()
    made = merge([a], c, keep=keep)
    assert (made.written, len(made.set_aside), path.read_text()) == (0, 1, held)
    assert "is of a later genbench" in made.set_aside[0]


def test_a_target_that_is_named_as_a_source_too_is_one_folder(stores):
    a, b, _ = stores
    a.write(record(seed=0))
    b.write(record(seed=1))
    with held(a.root, record(seed=0).cell):
        assert merge([Store(a.root), b], a).written == 2
