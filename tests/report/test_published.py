"""Every published number is in order: names that exist, ranges that can be, what is different said."""

import json

import pytest

from genbench.core import options
from genbench.core.dataset import DATASETS
from genbench.core.errors import StoreError
from genbench.core.metric import columns
from genbench.core.model import MODELS
from genbench.report.published import (
    EXTERNAL,
    Published,
    find_differences,
    load_sources,
    own_folder,
)

FILES = sorted(own_folder().glob("*.json"))
SOURCES = load_sources()
VALUES = [
    (source, part, value) for source in SOURCES for part in source.parts for value in part.values
]
#: what a column's values can be
RANGES = {
    "share": (0.0, 1.0),
    "modes": (0.0, 10_000.0),
    "bits": (0.0, 9.0),
    "classes": (1.0, 30.0),
    "dB": (0.0, 60.0),
    "likeness": (-1.0, 1.0),
    "squared feature distance": (0.0, 500.0),
    "squared MMD": (-0.01, 1.0),
    "ratio": (0.0, 2.0),
}
#: of reverse KL no more than ln of the number of modes; of likelihoods the data sets' sizes
COLUMN_RANGES = {
    "reverse_kl": (0.0, 6.91),
    "parzen": (100.0, 2200.0),
    "nll": (-1000.0, 200.0),
}


def test_there_are_numbers_of_many_sources():
    assert len(FILES) == len(SOURCES) >= 15
    assert len(VALUES) >= 200
    assert len({source.title for source in SOURCES}) == len(SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=[path.stem for path in FILES])
def test_names_exist_or_are_marked_external(source):
    known = columns()
    for part in source.parts:
        assert part.dataset.startswith(EXTERNAL) or part.dataset in DATASETS
        for value in part.values:
            assert value.column in known
            if not value.model.startswith(EXTERNAL):
                allowed = options.defaults(MODELS.get(value.model))
                assert value.options.keys() <= allowed.keys(), value
            else:
                bare = value.model.removeprefix(EXTERNAL).lower().replace("-", "_")
                assert bare not in MODELS, "a model of genbench's own is no external one"


@pytest.mark.parametrize("source", SOURCES, ids=[path.stem for path in FILES])
def test_values_are_within_what_can_be(source):
    known = columns()
    for part in source.parts:
        for value in part.values:
            unit = known[value.column][1].unit
            low, high = COLUMN_RANGES.get(value.column) or RANGES[unit]
            assert low <= value.value <= high, (part.where, value)
            assert value.error is None or value.error <= max(abs(value.value), 25), value
        rows = [(v.model, v.column, v.label, v.note, str(v.options)) for v in part.values]
        assert len(set(rows)) == len(rows), "a row stands twice"


def test_no_file_holds_sentences_of_its_source():
    for _, part, value in VALUES:
        texts = [part.where, part.training, value.label, value.note, *part.differences]
        assert max(map(len, texts)) <= 130


def find_published(model, dataset, column, protocol="", options=()):
    """What was published for a model on a data set in a column, by year and source."""
    rows = [
        Published(source, part, value, find_differences(part, value, protocol, dict(options)))
        for source, part, value in VALUES
        if (part.dataset, value.model, value.column) == (dataset, model, column)
    ]
    return sorted(rows, key=lambda row: (row.source.year or 9999, row.source.title))


def test_a_number_of_the_same_protocol_is_said_to_be_so():
    rows = find_published("gan", "ring", "modes", protocol="samples=2500, within=3")
    assert [(row.source.cited, row.text) for row in rows] == [
        ("Srivastava et al., 2017", "1"),
        ("Lin et al., 2018", "6.3 ± 0.5"),
    ]
    assert rows[0].comparable == "same protocol"
    assert rows[1].comparable.startswith("same protocol; trained there: 4 x 400 ReLU")


def test_what_is_different_is_named():
    (row,) = [
        row
        for row in find_published("gan", "ring", "modes", protocol="samples=10000, within=3")
        if row.source.year == 2018
    ]
    assert row.comparable.startswith("different: samples 2500 there, 10000 here; trained")
    asked = find_published(
        "pacgan", "ring", "modes", protocol="samples=2500, within=3", options={"pack": 3}
    )
    assert [row.value.label for row in asked if not row.differences] == ["PacGAN3"]
    assert "pack 2 there, 3 here" in asked[0].differences
    (fid, *_) = find_published("wgan_gp", "cifar10", "fid", protocol="classifier:x@1 88%, n=9/9")
    assert "features TensorFlow Inception there, classifier:x@1 88% here" in fid.differences


def test_quoted_numbers_say_so():
    quoted = {source.title: source for source in SOURCES if not source.read_in_source}
    assert {path.stem for path in FILES} >= {"srgan", "cyclegan", "text_gan"}
    assert len(quoted) == 3
    for source in quoted.values():
        assert source.cited.endswith(" (quoted)")
        assert source.quoted_in
    assert all(not s.cited.endswith("(quoted)") for s in SOURCES if s.read_in_source)


def test_numbers_of_other_data_stand_beside_a_data_set_of_the_same_task():
    """Each of them names one that exists, with options that it has, and says what differs."""
    beside = [part for source in SOURCES for part in source.parts if part.beside]
    assert {part.beside for part in beside} == {"edges", "super_resolution", "captioned_digits"}
    for part in beside:
        assert part.dataset.startswith(EXTERNAL)
        assert part.differences
        data = DATASETS.get(part.beside)
        assert part.beside_options.keys() <= options.defaults(data).keys()
        assert part.is_shown_beside(part.beside, part.beside_options)
        assert not part.is_shown_beside("ring", part.beside_options)
        other = dict.fromkeys(part.beside_options, "another")
        assert not part.is_shown_beside(part.beside, other)


def test_to_stand_beside_a_data_set_is_for_external_ones(tmp_path):
    source = json.loads((own_folder() / "gan.json").read_text())
    source["parts"][0]["beside"] = "ring"
    (tmp_path / "gan.json").write_text(json.dumps(source, indent=1))
    with pytest.raises(StoreError, match=r"beside needs a dataset that is external"):
        load_sources(tmp_path)


def test_bounds_and_unknown_rows():
    (vae,) = find_published("vae", f"{EXTERNAL}binarised_mnist", "nll")
    assert vae.text == "≤ 86.77"
    assert "a bound there" in vae.differences
    assert find_published("gan", "ring", "fid") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"read_in_source": False}, "quoted_in needs to say where numbers were read"),
        ({"quoted_in": "a survey"}, "quoted_in needs to say where numbers were read"),
        ({"yeer": 2018}, "unknown key 'yeer'"),
        ({"year": 1066}, ":5: year: Input should be greater than or equal to 1980, got 1066"),
        ({"parts": []}, "parts: List should have at least 1 item"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path, change, told):
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(json.loads(FILES[0].read_text()) | change, indent=1))
    with pytest.raises(StoreError, match=r"bad\.json") as error:
        load_sources(tmp_path)
    assert told in str(error.value)


def test_an_error_needs_its_kind(tmp_path):
    source = json.loads((own_folder() / "gan.json").read_text())
    del source["parts"][0]["error"]
    (tmp_path / "gan.json").write_text(json.dumps(source, indent=1))
    with pytest.raises(StoreError, match=r"gan\.json:\d+: parts.0: error needs to say"):
        load_sources(tmp_path)
