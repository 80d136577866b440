"""What a session has set torch to changes no number of genbench's, and is as before afterwards."""

from contextlib import ExitStack, contextmanager

import pytest
import torch

import genbench
from genbench.core.dataset import DATASETS
from genbench.core.modes import OWN, find_modes, hold

POINTS = DATASETS.get("ring")().points("test")[:100]


@contextmanager
def default(setter, value, before):
    setter(value)
    try:
        yield
    finally:
        setter(before)


SESSIONS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: default(torch.set_default_dtype, torch.float64, torch.float32),
    "another device": lambda: torch.device("meta"),
    "rough products": lambda: default(torch.set_float32_matmul_precision, "medium", "highest"),
}


def numbers():
    """Scores of features of a network, and of a model that is trained, as everybody gets them."""
    score = genbench.evaluate(
        "digits:validation", metrics="fid,prdc", features="random_conv", cache=False
    )
    vae = genbench.train("vae", "ring", seeds=2, steps=3)
    scored = vae.evaluate("mmd", samples=100).records
    trained = [m.value for record in scored for m in record.metrics if m.id == "mmd"]
    values = {name: row.value for name, row in score.metrics.items()}
    return values, vae.sample(20).tolist(), vae.log_prob(POINTS).tolist(), trained


@pytest.fixture(scope="module")
def plain():
    return numbers()


@pytest.mark.parametrize("session", SESSIONS)
def test_numbers_do_not_depend_on_what_a_session_has_set_torch_to(plain, session):
    usual = find_modes()
    with SESSIONS[session]():
        before = find_modes()
        assert before != usual
        assert numbers() == plain
        assert find_modes() == before
    assert find_modes() == usual


def test_modes_are_as_before_after_an_error_too():
    with torch.inference_mode(), torch.autocast("cpu"):
        before = find_modes()
        with pytest.raises(genbench.GenbenchError):
            genbench.evaluate("nowhere.npy", "digits:test")
        assert find_modes() == before


def test_a_sampler_runs_as_its_author_expects():
    seen = []

    def sample():
        for part in POINTS.split(50):
            seen.append(find_modes())
            yield part

    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.autocast("cpu", dtype=torch.bfloat16))
        stack.enter_context(default(torch.set_default_dtype, torch.float64, torch.float32))
        callers = find_modes()
        genbench.evaluate(sample, "ring:test", metrics="mmd", limit=100)
    assert seen == [callers, callers]


def test_held_modes_are_those_that_are_found():
    with torch.inference_mode(), hold(OWN):
        assert find_modes() == OWN
        assert not torch.zeros(1).is_inference()
