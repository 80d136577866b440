import pytest
from report_records import fill

from genbench.store import Store


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return fill(Store(tmp_path_factory.mktemp("results")))


@pytest.fixture
def empty(tmp_path):
    return Store(tmp_path / "nothing")
