"""Makes plausible records: six models on three data sets, with failures and hostile text."""

import io
import math

import numpy as np

from genbench.core.metric import columns
from genbench.core.spec import Budget, CellSpec
from genbench.store import CurvePoint, Measurement, Record, Used

TITLE = "A <b>title</b>"
HOSTILE = "<script>window.hacked = true</script>"
FAMILIES = {
    "gan": ("implicit/direct", 1.0, 1),
    "wgan_gp": ("implicit/direct", 0.35, 1),
    "vae": ("explicit/approximate/variational", 0.8, 1),
    "real_nvp": ("explicit/tractable/change of variables", 0.3, 1),
    "pixelcnn": ("explicit/tractable/fully visible", 0.25, 64),
    "resampler": ("reference", 0.02, 1),
}
METRIC_OF = {column: metric.name for column, (metric, _) in columns().items()}
EXPLICIT = ("vae", "real_nvp", "pixelcnn")


def made(seed, *name):
    return np.random.default_rng([seed, *(sum(map(ord, str(part))) for part in name)])


def spec(model="gan", dataset="ring", seed=0, **changed):
    given = {"options": {"hidden": [64, 64]}, "budget": Budget(steps=4000), "batch": 256}
    given |= {"model_version": 1, "dataset_version": 1} | changed
    return CellSpec(model=model, dataset=dataset, seed=seed, **given)


def measured(id, value, protocol="n=2000/2000", **changed):
    metric = METRIC_OF.get(id, id)
    given = {"metric": metric, "version": 1, "n_real": 2000, "n_fake": 2000}
    return Measurement(id=id, protocol=protocol, value=value, **(given | changed))


def latencies(model, rng):
    return [
        measured(
            f"latency_1_{rank}_ms",
            slower * (0.4 + 12 * (model == "pixelcnn") + 0.02 * rng.normal()),
            "batch 1, 1 thread",
            unit="ms",
        )
        for rank, slower in (("min", 0.9), ("p50", 1.0))
    ]


def scores(model, dataset, seed, error, rng):
    near = error * (1 + 0.15 * rng.normal())
    floor = 0.004 + 0.0005 * rng.normal()
    protocol = "mixture of Gaussian kernels, bandwidth 0.3, n=2000/2000"
    rows = [
        measured("mmd", near * 0.1, protocol, floor=floor, unit="squared MMD"),
        measured("mmd", near * 0.09, protocol, split="train", floor=floor, unit="squared MMD"),
        measured("precision", 1 - near * 0.5, "k=5, identity", better="higher", floor=0.97),
        measured("recall", 1 - near * 0.7, "k=5, identity", better="higher", floor=0.96),
        measured("density", 1 - near * 0.4, "k=5, identity", better="higher", floor=1.0),
        *latencies(model, rng),
    ]
    if dataset == "digits":
        rows.append(measured("fid", near * 40, "classifier:digits@1, n=500/500", floor=1.1))
        bits = 1.8 + near if model in EXPLICIT else None
        rows.append(
            measured(
                "bits_per_dim",
                bits,
                "uniform dequantisation",
                kind="bound" if model == "vae" else "exact",
                reason=None if bits else f"{model} is no Density",
            )
        )
    else:
        k = 8 if dataset == "ring" else 25
        modes = max(1, round(k * (1 - near * 0.35)))
        rows.append(measured("modes", modes, f"of {k}, 3 sigma, >= 1", better="higher", floor=k))
        rows.append(
            measured("high_quality", 1 - 0.6 * near, "3 sigma", better="higher", floor=0.989)
        )
        nll = -1 + near if model in EXPLICIT else None
        rows.append(
            measured(
                "nll",
                nll,
                "nats, data space",
                unit="nats",
                kind="bound" if model == "vae" else "exact",
                reason=None if nll else f"{model} is no Density",
            )
        )
    return rows


def curve(error, rng, adversarial):
    points = []
    for i in range(21):
        step = 200 * i
        fall = error + (1.5 - error) * math.exp(-i / 5) + 0.03 * rng.normal()
        losses = {"critic": 0.6 + 0.05 * rng.normal(), "generator": 0.8 + 0.1 * rng.normal()}
        points.append(
            CurvePoint(
                step=step,
                seconds=step * 0.002,
                losses=losses if adversarial else {"density": fall * 2},
                metrics={"mmd": fall * 0.1, "recall": None if i == 0 else 1 - 0.6 * fall},
            )
        )
    return points


def samples(store, model, dataset, seed, error, rng):
    if dataset == "digits":
        points = rng.random((100, 1, 8, 8)) ** (1 + 3 * (1 - error))
        points = (points * 16).astype(np.uint8) if seed % 2 else points.astype(np.float32)
    else:
        angles = np.arange(8) * math.pi / 4
        centres = np.stack([np.cos(angles), np.sin(angles)], -1)
        if dataset == "grid":
            axis = np.linspace(-4, 4, 5)
            centres = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
        kept = centres[: max(1, round(len(centres) * (1 - 0.35 * error)))]
        points = kept[rng.integers(len(kept), size=2500)] + 0.1 * error * rng.normal(
            size=(2500, 2)
        )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, samples=points)
    return {"samples": store.put(buffer.getvalue(), ".npz")}


def record(store, model, dataset, seed, *, with_samples=True, **changed):
    taxonomy, error, steps = FAMILIES[model]
    rng = made(seed, model, dataset)
    about = spec(model, dataset, seed, **changed)
    wanted = with_samples and seed < 2
    return Record(
        cell=about.cell,
        group=about.group,
        status="ok",
        spec=about,
        taxonomy=taxonomy,
        parameters=None if taxonomy == "reference" else 17_154,
        data_hashes={"test": f"{dataset}-digest"},
        used=Used(
            steps=4000,
            examples=1_024_000,
            seconds=12.5 * (1 + error),
            seeds_sharing=8,
            peak_memory_bytes=180_000_000,
        ),
        curve=[] if taxonomy == "reference" else curve(error, rng, "gan" in model),
        metrics=scores(model, dataset, seed, error, rng),
        sequential_steps=steps,
        environment={
            "python": "3.11.7",
            "torch": "2.13.0",
            "device": "cpu",
            "threads": 1,
            "git": {"commit": "0123abc", "dirty": False},
        },
        artifacts=samples(store, model, dataset, seed, error, rng) if wanted else {},
        started="2026-11-20T10:00:00+00:00",
        finished="2026-11-20T10:01:00+00:00",
    )


def failed(good, status, phase, reason):
    return good.model_copy(
        update={
            "status": status,
            "phase": phase,
            "reason": reason,
            "failed_after_s": 3.2,
            "metrics": [],
            "curve": [],
            "artifacts": {},
        }
    )


def fill(store, seeds=8):
    """Writes six models on three data sets, with failures, variants and hostile text."""
    for dataset in ("ring", "grid", "digits"):
        for model in FAMILIES:
            for seed in range(seeds):
                good = record(store, model, dataset, seed, with_samples=model != "vae")
                if (model, dataset, seed) == ("gan", "grid", 3):
                    good = failed(good, "diverged", "train", f"{HOSTILE} loss is nan at step 17")
                if (model, dataset) == ("pixelcnn", "grid"):
                    good = failed(good, "skipped", "build", "pixelcnn needs images, got (2,)")
                store.write(good)
    for seed in range(3):
        options = {"hidden": [128, 128], "note": HOSTILE}
        store.write(record(store, "gan", "ring", seed, options=options))
    return store
