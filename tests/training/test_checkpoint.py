import json

import pytest
import torch
from safetensors.torch import load, save
from small_suites import built, same

from genbench.core.model import MODELS
from genbench.core.spec import Budget
from genbench.training.checkpoint import Checkpoint, digest, seeds_of
from genbench.training.trainer import Trainer

SMALL = {
    "gan": ("ring", {"hidden": [8]}),
    "wgan_gp": ("ring", {"hidden": [8], "average": 0.999}),
    "vae": ("ring", {"hidden": [8]}),
    "made": ("ring", {"hidden": [8], "components": 2}),
    "realnvp": ("ring", {"hidden": [8], "layers": 2}),
    "rbm": ("bars_and_stripes", {"hidden": 8, "chains": 16}),
}
STEPS = 24


class Stopped(Exception):
    pass


def trainer(name, listener=None, **changed):
    dataset, options = SMALL[name]
    model, source, rng = built(name, dataset, **(options | changed))
    budget = Budget(steps=STEPS)
    return Trainer(model, source, budget, batch=8, rng=rng, curve=3, listener=listener)


def end(work):
    """The weights, the averages and the curve's losses."""
    tensors, plain = work.state()
    points = [(point["step"], point["losses"]) for point in plain["points"]]
    with work.averaged() as model:
        averaged = {f"averaged.{k}": v.clone() for k, v in model.state_dict().items()}
    return {k: v.clone() for k, v in tensors.items()} | averaged, points


def interrupted(name, path, at):
    """Trains to a step, saves, and is stopped there."""

    def stop(work):
        if work.step == at:
            Checkpoint(path, 0).save(work)
            raise Stopped

    with pytest.raises(Stopped):
        trainer(name, stop).run()


def test_every_model_here_is_registered():
    assert set(SMALL) <= set(MODELS.names())


@pytest.mark.parametrize("name", SMALL)
def test_a_stopped_training_goes_on_to_the_same_bits(name, tmp_path):
    path = tmp_path / "c.safetensors"
    whole, curve = end(trainer(name).run())
    draws = torch.Generator().manual_seed(len(name))
    for at in [*torch.randint(1, STEPS, (2,), generator=draws).tolist(), STEPS]:
        interrupted(name, path, at)
        work = trainer(name)
        assert Checkpoint(path, 0).restore(work)
        assert work.step == at
        again, points = end(work.run())
        assert same(whole, again), f"stopped at {at}"
        assert points == curve


def test_seconds_and_counts_go_on_where_they_stopped(tmp_path):
    path = tmp_path / "c.safetensors"
    interrupted("gan", path, 10)
    work = trainer("gan")
    Checkpoint(path, 0).restore(work)
    spent = work.seconds
    assert spent > 0
    assert work.examples == 10 * 2 * 8
    assert work.run().seconds > spent
    assert [state.updates for state in work.players] == [STEPS, STEPS]


def spoil(path, how):  # noqa: C901 - a list of ways
    content = path.read_bytes()
    tensors = load(content)
    if how == "empty":
        return b""
    if how == "half":
        return content[: len(content) // 2]
    if how == "text":
        return b"not a checkpoint" * 100
    if how == "flip":
        at = len(content) - 33
        return content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :]
    if how == "no plain":
        return save(tensors)
    if how == "bad json":
        return signed(tensors, "{")
    if how == "list":
        return signed(tensors, "[]")
    if how == "other layout":
        return signed({"x": torch.zeros(2)}, "{}")
    if how == "other shape":
        return signed({k: v[:1].clone() for k, v in tensors.items() if v.dim()}, "{}")
    if how == "rng":
        tensors = {k: torch.zeros_like(v) if k == "rng.train" else v for k, v in tensors.items()}
    start = content[8 : 8 + int.from_bytes(content[:8], "little")]
    plain = json.loads(json.loads(start)["__metadata__"]["plain"])
    if how == "lacks marks":
        del plain["marks"]
    if how == "points":
        plain["points"] = [{"step": 1}]
    return signed(tensors, json.dumps(plain))


def signed(tensors, text):
    return save(tensors, {"plain": text, "sha256": digest(tensors, text)})


KINDS = [
    "flip",
    "empty",
    "half",
    "text",
    "no plain",
    "bad json",
    "list",
    "other layout",
    "other shape",
    "rng",
    "lacks marks",
    "points",
]


@pytest.mark.parametrize("how", KINDS)
def test_a_file_that_cannot_be_used_is_removed_and_training_starts_afresh(tmp_path, how):
    path = tmp_path / "c.safetensors"
    interrupted("wgan_gp", path, 5)
    path.write_bytes(spoil(path, how))
    work = trainer("wgan_gp")
    assert not Checkpoint(path, 0).restore(work)
    assert not path.exists()
    assert work.step == 0
    again, points = end(work.run())
    whole, curve = end(trainer("wgan_gp").run())
    assert same(whole, again)
    assert points == curve


def test_without_a_file_nothing_is_restored(tmp_path):
    checkpoint = Checkpoint(tmp_path / "none.safetensors", 0)
    assert not checkpoint.restore(trainer("gan"))
    checkpoint.remove()


def test_it_saves_no_more_often_than_asked(tmp_path):
    path = tmp_path / "deep" / "c.safetensors"
    never, always = Checkpoint(path, 1e6), Checkpoint(path, 0)
    work = trainer("gan")
    never(work)
    assert not path.exists()
    always(work)
    assert path.is_file()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_saving_does_not_change_what_is_learnt(tmp_path):
    saving = trainer("wgan_gp", Checkpoint(tmp_path / "c.safetensors", 0)).run()
    assert same(end(saving)[0], end(trainer("wgan_gp").run())[0])


def test_a_checkpoint_names_its_stack(tmp_path):
    path = tmp_path / "c.safetensors"
    Checkpoint(path, 0, [3, 1]).save(trainer("gan"))
    assert seeds_of(path) == [3, 1]
    path.write_bytes(b"junk")
    assert seeds_of(path) == seeds_of(tmp_path / "none") == []


def test_the_digest_is_of_numbers_not_of_strides():
    odd = torch.empty_strided((1, 1, 2), (64, 64, 32)).copy_(torch.tensor([[[1.0, 2.0]]]))
    one = torch.empty_strided((1, 1), (32, 32)).fill_(3.0)
    assert one.is_contiguous()
    assert one.reshape(-1).stride() == (32,)
    same_numbers = {"a": odd.contiguous(), "b": torch.full((1, 1), 3.0)}
    assert digest({"a": odd, "b": one}, "text") == digest(same_numbers, "text")
    assert digest({"a": odd, "b": one + 1}, "text") != digest(same_numbers, "text")
