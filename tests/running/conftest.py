"""What tests of running share."""

import json

import pytest


@pytest.fixture
def plant_baseline(tmp_path, monkeypatch):
    """Makes what writes a baseline of the working folder, which stands in the place of genbench's own."""
    monkeypatch.chdir(tmp_path)

    def make(path, field):
        (tmp_path / path).parent.mkdir()

        def write(by_data):
            content = {"schema": 1, "about": "planted", field: by_data}
            (tmp_path / path).write_text(json.dumps(content) + " " * len(str(by_data)))

        return write

    return make
