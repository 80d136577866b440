from genbench.core.dataset import DataSpec
from genbench.core.rng import Rng
from genbench.nn.joint import Generator, PointEncoder

IMAGE = DataSpec("image", (1, 8, 8), range=(0.0, 1.0))
SHAPES = [("mlp", (16, 8), 4), ("conv", (8,), 4)]


def test_generators_stay_in_range_and_encoders_see_what_is_beside():
    rng = Rng([0, 1])
    for network, hidden, width in SHAPES:
        generator = Generator(IMAGE, 5, hidden, width, network, rng.fork("g"))
        x = generator(10 * rng.normal(3, 5))
        assert x.shape == (2, 3, 1, 8, 8)
        assert 0 <= x.min() < x.max() <= 1
        encoder = PointEncoder(IMAGE, 2, hidden, width, network, rng.fork("r"), beside=3)
        beside = rng.normal(3, 3)
        there = encoder(x, beside)
        assert there.shape == (2, 3, 2)
        assert (there != encoder(x, beside + 1)).all()
        assert (there != encoder(1 - x, beside)).all()
