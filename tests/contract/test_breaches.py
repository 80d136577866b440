"""The rules see planted breaches: each is a worked example of CONTRIBUTING with one thing made wrong."""

from dataclasses import replace

import pytest
from documents import worked_examples

from genbench.contracts.check import check_rule, find_plugins
from genbench.contracts.rules import rules_of
from genbench.core.metric import METRICS

pytestmark = pytest.mark.usefixtures("registered")
EXAMPLES = worked_examples()
#: a score that depends on the other seeds
MIXED = """score = self.critic(flat(centred(x, self.spec))).squeeze(-1)
        return score - score.mean(0)"""
#: by example: the rule that is broken, what the report says, and what is replaced by what
BREACHES = {
    "lsgan_example": [
        (
            "the global generator is left alone",
            "draw from the rng",
            "rng.normal(n, self.noise)",
            "torch.randn(self.seeds, n, self.noise)",
        ),
        (
            "the same seed gives the same bits",
            "got a difference of",
            "rng.normal(n, self.noise)",
            "torch.randn(self.seeds, n, self.noise)",
        ),
        (
            "samples have their shape and range",
            "sample(64) needs shape (2, 64, 2), got (2, 64, 1, 2)",
            "points.unflatten(-1, self.spec.event)",
            "points.unflatten(-1, self.spec.event).unsqueeze(2)",
        ),
        (
            "samples have their shape and range",
            "on digits: samples need values in (0.0, 1.0)",
            "points = into_range(self.generator(rng.normal(n, self.noise)), self.spec)",
            "points = self.generator(rng.normal(n, self.noise))",
        ),
        (
            "a seed in a stack is the seed alone",
            "across the first axis",
            "return self.critic(flat(centred(x, self.spec))).squeeze(-1)",
            MIXED,
        ),
        (
            "a broken seed leaves the others alone",
            "across the first axis",
            "return self.critic(flat(centred(x, self.spec))).squeeze(-1)",
            MIXED,
        ),
        (
            "losses are one number per seed",
            "loss of player 'generator' needs shape (2,), got (2, 32)",
            "rng)) - 1).square().mean(-1) / 2",
            "rng)) - 1).square() / 2",
        ),
        (
            "a player moves its own weights and all of them",
            "the loss ignores it",
            "self.score(self.sample(batch.x.shape[1], rng))",
            "self.score(self.sample(batch.x.shape[1], rng).detach())",
        ),
        (
            "every weight belongs to a player",
            "no player moves unused.",
            "self.critic = MLP(",
            "self.unused = MLP(2, 2, (4,), rng)\n        self.critic = MLP(",
        ),
        (
            "training improves the model",
            "energy distance",
            "adam(lr, (0.5, 0.999))",
            "adam(0.0, (0.5, 0.999))",
        ),
        (
            "it can be built",
            "got reasons against all",
            "return only_continuous(spec)",
            "return 'no'",
        ),
        (
            "it can be built",
            "SystemExit: 3",
            "return only_continuous(spec)",
            "raise SystemExit(3)",
        ),
        (
            "its options are keywords with defaults",
            "'lr: …'",
            "        lr: Adam's step size.\n",
            "",
        ),
        (
            "it stays on its device",
            "needs tensors of one device, got some on the stand-in",
            "rng.normal(n, self.noise)",
            "torch.ones(n, 1) * rng.normal(n, self.noise)",
        ),
        (
            "the host waits for no device",
            "needs to leave the host free, but it waits for the device at",
            "rng.normal(n, self.noise)",
            "rng.normal(n, self.noise) * float(rng.normal(1).sum())",
        ),
        ("it says what it is", "year needs", "    year = 2017\n", ""),
        (
            "it says what it is",
            "family needs lower-case words such as diffusion, or none, got 'GANs!'",
            "    year = 2017\n",
            '    year = 2017\n    family = "GANs!"\n',
        ),
        (
            "a trained network in the loss is named",
            "loss_networks needs the extractor whose network is judge, got none",
            "self.critic = MLP(",
            "from genbench.nn.frozen import Frozen\n        self.judge = Frozen(torch.nn.Linear(2, 2))\n"
            "        self.critic = MLP(",
        ),
        (
            "a trained network in the loss is named",
            "got vgg; name the registered extractor",
            "    year = 2017\n",
            '    year = 2017\n    loss_networks = ("vgg",)\n',
        ),
        (
            "what records hold is one number per seed",
            "'weight' is none; register_buffer it",
            "    year = 2017\n",
            '    year = 2017\n    recorded = ("weight",)\n',
        ),
    ],
    "wine_example": [
        (
            "model space and back is the identity",
            "let to_data undo to_model",
            "return y * std + mean",
            "return y * std",
        ),
        ("splits share no points", "got 11.4% in both", "slice(130, 178)", "slice(90, 178)"),
        (
            "splits are the same every time",
            "opened twice",
            "Rng([0]).fork",
            "Rng([torch.seed() % 1000]).fork",
        ),
        (
            "points are as the spec says",
            "needs torch.float32, got torch.float64",
            "dtype=torch.float32",
            "dtype=torch.float64",
        ),
        (
            "log volume is the jacobian",
            "log_volume needs to be -",
            "log_volume(self) -> float:\n        return -",
            "log_volume(self) -> float:\n        return ",
        ),
        (
            "it serves other devices",
            "needs tensors of one device, got some on the stand-in",
            "return y * std + mean",
            "return y * (std.cpu() if isinstance(std, torch.Tensor) else std) + mean + torch.zeros(13)",
        ),
        (
            "what is hidden is a part of a point",
            "truth.hidden needs a coordinate that is hidden, got none",
            "    spec = DataSpec(",
            "    from genbench.core.truth import Truth\n"
            "    truth = Truth(hidden=torch.zeros(13, dtype=torch.bool))\n    spec = DataSpec(",
        ),
        (
            "what is hidden is a part of a point",
            "truth.hidden needs shape (13,), got (12,)",
            "    spec = DataSpec(",
            "    from genbench.core.truth import Truth\n"
            "    truth = Truth(hidden=torch.ones(12, dtype=torch.bool))\n    spec = DataSpec(",
        ),
        ("labels fit their points", "from 0 to 1, got 0 to 2", "classes=3", "classes=2"),
        ("points are as the spec says", "(100, 12), got (100, 13)", "(13,)", "(12,)"),
        (
            "it can be opened",
            "spec needs a DataSpec, got None",
            '    spec = DataSpec("wine_example", (13,), classes=3)\n',
            "",
        ),
    ],
    "linear_example": [
        (
            "translations depend on the source",
            "translate needs other outputs of other inputs, got the same for 100%",
            "return self.mean + x.unflatten(-1, self.spec.event)",
            "return self.mean + 0 * x.unflatten(-1, self.spec.event)",
        ),
        (
            "translations depend on the source",
            "translate needs to pass gradients on to its input",
            "x = self.output(source)\n",
            "x = self.output(source.detach())\n",
        ),
        (
            "a translation is of its own source",
            "no mean over the minibatch",
            "x = self.output(source)\n",
            "x = self.output(source - source.mean(1, keepdim=True))\n",
        ),
        (
            "translations have their shape and range",
            "what translate returns need values in",
            "return x if self.spec.range is None else x.clamp(*self.spec.range)",
            "return x",
        ),
        (
            "translations have their shape and range",
            "translate, called twice",
            "x = self.output(source)\n",
            "x = self.output(source) + torch.rand(())\n",
        ),
        (
            "a slice translates what the stack translates",
            "across the first axis",
            "x = self.output(source)\n",
            "x = self.output(source)\n        x = x - x.mean(0)\n",
        ),
    ],
    "blurred_example": [
        (
            "sources belong to points row by row",
            "sources of train",
            "functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)",
            "functional.avg_pool2d(x, 2)",
        ),
        (
            "the known map gives the sources",
            "degrade of train, called twice",
            "return functional",
            "return torch.rand(()) * functional",
        ),
        (
            "the known map gives the sources",
            "degrade needs to give the sources",
            "return functional",
            "x = x.flip(0)\n        return functional",
        ),
        (
            "unpaired training shows no pair",
            "paired=False needs a spec of that, got True; hand it on to DataSpec",
            'of: str = "digits", data',
            'of: str = "digits", paired: bool = True, data',
        ),
    ],
    "spread_example": [
        (
            "the order of points does not matter",
            "any order of points",
            "x.double().var(0)",
            "x.double().diff(dim=0).square()",
        ),
        (
            "two calls agree and change nothing",
            "spread_example needs to leave what it is given as it is",
            "    wide, narrow",
            "    fake -= fake.mean(0)\n    wide, narrow",
        ),
        (
            "two calls agree and change nothing",
            "global generator",
            "float(x.double()",
            "float(torch.rand(()) * x.double()",
        ),
        (
            "it scores points on other devices",
            "needs tensors of one device, got some on the stand-in",
            "x.double().var(0)",
            "(x.double() * torch.ones(len(x), 1)).var(0)",
        ),
        ("worse samples score worse", "(better: higher)", 'Column("lower"', 'Column("higher"'),
        ("real against real is near the ideal", "near 5.0", '"nats", 0.0', '"nats", 5.0'),
        ("bad arrays are refused with advice", "not a number", "or not x.isfinite().all()", ""),
        (
            "columns declared are those returned",
            "TypeError",
            "*, rng: Rng, ",
            "*, rng: Rng, strange, ",
        ),
        (
            "what it is read beside is known",
            "beside may name other metrics",
            "columns=COLUMNS)",
            'columns=COLUMNS, beside=("fidd",))',
        ),
        (
            "what it is read beside is known",
            "beside needs a tuple of names, got ['fid']; make it one",
            "columns=COLUMNS)",
            'columns=COLUMNS, beside=["fid"])',
        ),
        (
            "what it is read beside is known",
            "networks may name registered extractors",
            "columns=COLUMNS)",
            'columns=COLUMNS, networks=("vgg",))',
        ),
        (
            "what it is read beside is known",
            "spread_example's beside may name other columns of the metric (none); got width",
            'ratio of total variances")',
            'ratio of total variances", beside=("width",))',
        ),
        ("it is called as its view says", "real, fake", "real: Tensor, fake", "a: Tensor, fake"),
    ],
    "fourier_example": [
        (
            "a row depends on its point alone",
            "in a batch and alone",
            "return (flat @ frequencies + phases).cos()",
            "x = (flat @ frequencies + phases).cos()\n        return x - x.mean(0)",
        ),
        (
            "features are one row per point",
            "shape (40, F), got (40,)",
            "return (flat @ frequencies + phases).cos()",
            "return (flat @ frequencies).cos().sum(1)",
        ),
        (
            "two calls agree and change nothing",
            "features of two extractors",
            'Rng([0]).fork("fourier_example")',
            "Rng([torch.seed() % 1000])",
        ),
        (
            "it extracts on other devices",
            "extract needs to stay there",
            "return (flat @ frequencies + phases).cos()",
            "return (flat @ frequencies + phases).cos().cpu()",
        ),
        (
            "its protocol says what it is",
            "begin with self.name",
            'return f"{self.name}@{self.version}"',
            'return "mine"',
        ),
    ],
    "coverage_example": [
        (
            "without measurements it is inconclusive",
            "KeyError: 0",
            "more, fewer = (evidence",
            "evidence.scores(GAN, 'modes_strict')[0]\n    more, fewer = (evidence",
        ),
        ("it reads what it declares", "needs a finite bar, got None", "bar=1.0", "bar=None"),
        ("it reads what it declares", "has no column 'fid'", '"modes_strict"', '"fid"'),
        (
            "it reads what it declares",
            "read and not declared",
            "runs=(WGAN_GP, GAN)",
            "runs=(WGAN_GP,)",
        ),
        (
            "its runs can be made",
            "cannot be run",
            '"grid", ("modes",)',
            '"markov_text", ("modes",)',
        ),
        ("it says what a reader needs", "full stop", "more than the GAN.", "more than the GAN"),
    ],
    "threads_example": [
        (
            "every job comes back once",
            "need to come back once each, got [",
            "while len(running) < self.workers and (assigned := next_job()) is not None:",
            "if not running and (assigned := next_job()) is not None and assigned[0] < 3:",
        ),
        (
            "every job comes back once",
            "ask for jobs again after every yield",
            "while True:\n                while",
            "for _ in range(1):\n                while",
        ),
        (
            "results are those of one process",
            "return run_job's outcome as it is",
            "future.result()",
            "Outcome(future.result().results)",
        ),
        (
            "a job that fails costs the others nothing",
            "RuntimeError: lost",
            "from genbench.running.work import run_job\n",
            "from genbench.running import work\n\n\ndef run_job(job, report):\n"
            "    if job.settings.plugins:\n        raise RuntimeError('lost')\n"
            "    return work.run_job(job, report)\n",
        ),
        (
            "a request to stop loses nothing",
            "wait for them",
            "yield running.pop(future), future.result()",
            "outcome = future.result()\n                    index = running.pop(future)\n"
            "                    if not outcome.stopped:\n"
            "                        yield index, outcome",
        ),
        (
            "it can be left early and run again",
            "cannot schedule new futures",
            "            wait(running)\n",
            "            self.pool.shutdown()\n",
        ),
        (
            "it can be made",
            "call super().__init__(workers)",
            "(workers)\n        self",
            "(0)\n        self",
        ),
    ],
}


CASES = [
    pytest.param(example, *row, id=f"{example}-{row[0]}-{i}")
    for example, rows in BREACHES.items()
    for i, row in enumerate(rows)
]


@pytest.mark.parametrize(("example", "rule", "says", "old", "new"), CASES)
def test_a_planted_breach_is_seen(example, rule, says, old, new, tmp_path):
    code = EXAMPLES[example][0]
    assert old in code
    path = tmp_path / f"{example}.py"
    path.write_text("import torch\n" + code.replace(old, new))
    ((kind, name),) = find_plugins(str(path))
    (broken,) = [one for one in rules_of(kind) if one.name == rule]
    finding = check_rule(broken, name)
    assert finding.status == "broken"
    assert says in finding.reason
    assert "\n" not in finding.reason


def test_a_metric_of_genbench_with_the_column_of_another_is_seen(monkeypatch):
    """Those of users are refused when they register."""
    twin = replace(METRICS.get("kid"), name="twin")
    everything = {**METRICS.all(), "twin": twin}
    monkeypatch.setattr(METRICS, "get", everything.__getitem__)
    monkeypatch.setattr(METRICS, "all", lambda: everything)
    (broken,) = [one for one in rules_of("metric") if one.name == "its columns are its own"]
    finding = check_rule(broken, "twin")
    assert finding.status == "broken"
    assert "'kid' is kid's too" in finding.reason
