import io
import shutil
import subprocess
import tarfile

import pytest
from browsing import ARGS, AXE, CHROMIUM
from report_claims import fill_claims, plant, uproot
from report_records import TITLE, fill

from genbench.core.files import cache_folder, write_bytes
from genbench.report.leaderboard import read_leaderboard
from genbench.report.site.build import write_report
from genbench.store import Store


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    return fill(Store(tmp_path_factory.mktemp("results")))


@pytest.fixture(scope="session")
def site(store, tmp_path_factory):
    """The report of the records of `store`, which no test may change."""
    return write_report(
        read_leaderboard(store), tmp_path_factory.mktemp("report"), title=TITLE
    ).parent


@pytest.fixture(scope="session")
def site_of_claims(tmp_path_factory):
    """A results folder with evidence, and its report, made while hostile claims were registered."""
    plant()
    store = fill_claims(tmp_path_factory.mktemp("results"))
    folder = write_report(read_leaderboard(store), tmp_path_factory.mktemp("report")).parent
    uproot()
    return store, folder


@pytest.fixture
def empty(tmp_path):
    return Store(tmp_path / "nothing")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, packed by npm once and kept; a machine without either is skipped."""
    kept = cache_folder() / "npm" / f"axe-core-{AXE}.min.js"
    if kept.exists():
        return kept.read_text()
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine, which packs axe-core")
    call = [npm, "pack", "--silent", "--pack-destination", ".", f"axe-core@{AXE}"]
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(call, cwd=kept.parent, capture_output=True, timeout=120, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"npm cannot pack axe-core {AXE}: {error}")
    packed = kept.parent / done.stdout.decode().split()[-1]
    with tarfile.open(fileobj=io.BytesIO(packed.read_bytes())) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        write_bytes(kept, file.read())
    packed.unlink()
    return kept.read_text()
