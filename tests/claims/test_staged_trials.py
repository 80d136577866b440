"""The claim on staged generation: equal work, and planted evidence."""

import itertools

import pytest
from claim_records import write
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from genbench.claims import staged_generation as staged
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.model import Batch, build
from genbench.core.rng import Rng
from genbench.running.evidence import ClaimEvidence
from genbench.statistics.verdicts import judge
from genbench.store import Store


class Multiplications(TorchDispatchMode):
    """Counts operations of matrix products and convolutions."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        law = flop_registry.get(function._overloadpacket)
        self.count += law(*args, **(kwargs or {}), out_val=made) if law else 0
        return made


def work(run, parts=3):
    """The operations of a run's training of one seed."""
    dataset, rng = DATASETS.get(run.dataset)(), Rng([0])
    model = build(run.model, dataset.spec, rng, dict(run.options))
    x = rng.uniform(run.batch, *dataset.spec.event)
    with Multiplications() as counter:
        for i, player in itertools.product(range(parts), model.players()):
            loss = player.loss(Batch(x, progress=(i + 0.5) / parts), rng)
            loss.sum().backward(inputs=list(player.module.parameters()))
    return counter.count / parts * run.steps


@pytest.mark.parametrize("name", staged.STAGED)
def test_stages_and_one_shot_take_as_much_work(name):
    assert work(staged.ONE_SHOT[name]) == pytest.approx(work(staged.STAGED[name]), rel=0.01)


@pytest.mark.parametrize("name", staged.ONE_SHOT)
def test_one_level_makes_whole_images(name):
    spec = DATASETS.get("digits")().spec
    model = build(name, spec, Rng([0, 1]), dict(staged.ONE_SHOT[name].options))
    assert model.sample(3, Rng([0, 1])).shape == (2, 3, 1, 8, 8)
    assert model.sequential_steps() == 1


@pytest.mark.parametrize(("fid", "expected"), [(20, "supported"), (60, "refuted")])
def test_staged_generation(tmp_path, fid, expected):
    store = Store(tmp_path)
    for run in staged.STAGED.values():
        write(store, run, fid=fid, precision=0.9, recall=0.5)
    for run in (*staged.ONE_SHOT.values(), staged.DCGAN):
        write(store, run, fid=40, precision=0.8, recall=0.5)
    held = ClaimEvidence(CLAIMS.get("staged_generation"), store)
    assert held.missing() == {}
    assert judge(held.effects()).outcome == expected
