"""The claims of families against each other: closed forms, planted verdicts, seeds."""

import pytest
import torch

from genbench.claims import no_partition_function as gradients
from genbench.core.claim import CLAIMS
from genbench.core.dataset import DATASETS
from genbench.core.rng import Rng
from genbench.nn.boltzmann import BernoulliBoltzmann
from genbench.report.judge import judge


class Planted:
    """Evidence as planted: by column, or a run's by (model, column); noise of 1 %, eight seeds."""

    def __init__(self, columns=(), scores=()):
        self.columns, self.runs = dict(columns), dict(scores)

    def values(self, mean):
        return {} if mean is None else {s: mean * (1 + (s - 3.5) / 250) for s in range(8)}

    def measured(self, column):
        return self.values(self.columns.get(column))

    def scores(self, run, column):
        return self.values(self.runs.get((run.model, column)))

    def finished(self, run):
        return list(range(8))


def outcome(name, columns=(), scores=()):
    return judge(CLAIMS.get(name).function(Planted(columns, scores))).outcome


def depends_on_its_seed_alone(name, **options):
    both, one = (
        CLAIMS.get(name).measure(Rng(seeds).fork("claim", name), **options)
        for seeds in ([0, 1], [1])
    )
    for column, values in one.items():
        assert both[column][1] == pytest.approx(values[1], rel=2e-3, abs=1e-5), column


@pytest.fixture(scope="module")
def machine():
    made = BernoulliBoltzmann(gradients.SIDE**2, gradients.HIDDEN, Rng([0, 1]), scale=1.0)
    return made, gradients.words().flatten(2).expand(2, -1, -1)


def test_chains_at_the_machines_own_law_have_no_bias(machine):
    made, states = machine
    with torch.no_grad():
        law = torch.softmax(-made.free_energy(states).double(), -1)
    own = torch.stack([gradients.exact_bias(made, states, row, 3)[k] for k, row in enumerate(law)])
    other = gradients.exact_bias(made, states, law[0].flip(0), 3)
    assert own.max() < 1e-10
    assert other.min() > 1e-3


def test_the_bias_of_contrastive_divergence_is_that_of_its_transition_matrix():
    dataset = DATASETS.get("bars_and_stripes")(size=gradients.SIDE)
    law = dataset.truth.log_prob(gradients.words()[0]).exp()
    assert float(law.sum()) == pytest.approx(1)
    rows = gradients.machine_rows(dataset, law, 200, 200, Rng([0, 1]))
    for k in gradients.STEPS:
        assert rows[f"cd_{k}_bias"].tolist() == pytest.approx(
            rows[f"cd_{k}_bias_exact"].tolist(), abs=0.03
        )
    assert float(rows["cd_1_bias_exact"].min()) > 0.02
    assert float(rows["ais_1000_error"].max()) < 0.1


@pytest.mark.parametrize(
    ("chain", "game", "said"),
    [(0.1, 0.0005, "supported"), (-0.01, 0.05, "refuted"), (0.1, 0.05, "mixed")],
)
def test_no_partition_function(chain, game, said):
    others = dict.fromkeys(("discriminator_bias", "generator_bias", "vae_bias"), game)
    assert outcome("no_partition_function", {"cd_1_bias": chain, **others}) == said


def test_gradients_depend_on_their_seed_alone():
    depends_on_its_seed_alone("no_partition_function", rounds=3, draws=3)
