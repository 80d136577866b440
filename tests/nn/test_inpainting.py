import torch

from genbench.core.rng import Rng
from genbench.nn.inpainting import chain, latent_search

SEEDS = Rng([0, 1])


def test_the_search_finds_the_code_of_a_linear_generator():
    weight = SEEDS.fork("weight").normal(3, 8)
    truth = SEEDS.fork("truth").normal(5, 3) @ weight
    observed = torch.arange(8).expand(2, 5, 8) < 4
    shown = torch.where(observed, truth, 100.0)
    filled = latent_search(
        lambda z: z @ weight, 3, shown, observed, SEEDS.fork("search"), steps=300, restarts=2
    )
    torch.testing.assert_close(filled, truth, atol=0.05, rtol=0)
    assert torch.equal(filled[observed], truth[observed])


def test_of_several_starts_the_best_is_kept():
    def generate(z):  # two valleys, one of them higher
        x = (z.square() - 1).square() + 0.3 * z
        return torch.cat([x, z], dim=-1)

    x = torch.full((2, 6, 2), -0.3)
    observed = torch.tensor([True, False]).expand(2, 6, 2)
    one, many = (
        latent_search(generate, 1, x, observed, SEEDS.fork("start"), restarts=n) for n in (1, 16)
    )
    assert (one[..., 1] > 0).any()
    assert (many[..., 1] < 0).all()


def test_the_search_leaves_weights_alone_and_works_without_gradients():
    weight = torch.nn.Parameter(SEEDS.fork("weight").normal(2, 4))
    with torch.no_grad():
        latent_search(
            lambda z: z @ weight, 2, torch.zeros(2, 3, 4), torch.ones(2, 3, 4).bool(), SEEDS
        )
    assert weight.grad is None


def test_the_chain_keeps_what_is_known_and_repeats():
    x = torch.tensor([[[1.0, 0.0]]])
    observed = torch.tensor([[[True, False]]])
    filled = chain(lambda y: (y + y.flip(-1)) / 2, 8 * torch.ones(1, 1, 2), x, observed, 40)
    torch.testing.assert_close(filled, torch.ones(1, 1, 2))
    assert filled[0, 0, 0] == 1.0
