"""`genbench run --tensorboard`: what is written is what TensorBoard reads."""

import sys

import pytest
import yaml
from small_suites import SUITE
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from genbench.cli import main
from genbench.core.errors import SpecError, WriteError
from genbench.report.event_files import EventFiles
from genbench.store import CurvePoint, Store

RUN = ["run", "tiny", "-c", "suites.yaml", "--device", "cpu", "--quiet"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites.yaml").write_text(yaml.safe_dump({"schema": 1, "suites": {"tiny": SUITE}}))
    return tmp_path


def run(*args):
    with pytest.raises(SystemExit) as end:
        main([*RUN, *args])
    return end.value.code or 0


def read(place):
    events = EventAccumulator(str(place))
    events.Reload()
    return {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}


def test_every_cells_curve_can_be_read_back(folder):
    assert run("--tensorboard", "logs") == 0
    records = list(Store("runs").records())
    places = sorted(path.parent for path in folder.glob("logs/**/events.*"))
    assert places == sorted(folder / EventFiles(folder / "logs").place(r) for r in records)
    assert len(places) == 2
    for record in records:
        found = read(EventFiles(folder / "logs").place(record))
        losses, curves = (record.curve[0].losses, record.curve[0].metrics)
        assert set(found) == {f"loss/{n}" for n in losses} | {f"curve/{n}" for n in curves}
        assert losses
        assert curves
        for kind, read_values in (("loss", "losses"), ("curve", "metrics")):
            for name in getattr(record.curve[0], read_values):
                events = found[f"{kind}/{name}"]
                values = [getattr(point, read_values)[name] for point in record.curve]
                assert [e.step for e in events] == [point.step for point in record.curve]
                assert [e.value for e in events] == pytest.approx(values)
                gap = record.curve[-1].seconds - record.curve[0].seconds
                assert events[-1].wall_time - events[0].wall_time == pytest.approx(gap, abs=1e-3)


def test_cells_that_were_done_before_are_written_once(folder):
    assert run() == 0
    assert not (folder / "logs").exists()
    for _ in range(2):
        assert run("--tensorboard", "logs") == 0
    assert len(list(folder.glob("logs/**/events.*"))) == 2


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch, capsys, folder):
    for name in [n for n in sys.modules if n.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert run("--tensorboard", "logs") == 2
    assert capsys.readouterr().err == (
        "genbench: --tensorboard needs the package tensorboard, which is not installed; "
        "pip install 'genbench[tensorboard]'\n"
    )
    assert not (folder / "runs").exists()


def test_names_never_lead_out_of_the_folder_and_gaps_are_left_out(folder):
    assert run() == 0
    (record, *_) = Store("runs").records()
    spec = record.spec.model_copy(update={"dataset": "../up", "model": "/etc/<b>"})
    curve = [CurvePoint(step=1, seconds=0.1, losses={"net": None}, metrics={"fid": 2.0})]
    wild = record.model_copy(update={"spec": spec, "curve": curve, "started": ""})
    logs = EventFiles(folder / "logs")
    logs.write(wild)
    assert logs.place(wild).relative_to(folder / "logs").parts[0] == "-up"
    assert set(read(logs.place(wild))) == {"curve/fid"}
    logs.write(wild.model_copy(update={"curve": []}))
    assert len(list(folder.glob("logs/**/events.*"))) == 1


def test_a_place_that_cannot_be_written_is_named(folder):
    (folder / "file").write_text("")
    with pytest.raises(SpecError, match=r"needs a folder that can be made, got .*file"):
        EventFiles(folder / "file")
    assert run() == 0
    (record, *_) = Store("runs").records()
    logs = EventFiles(folder / "logs")
    (folder / "logs" / "ring").write_text("")
    with pytest.raises(WriteError, match=r"--tensorboard cannot write .*seed-"):
        logs.write(record)
