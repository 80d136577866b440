"""What genbench does on a GPU: correctness first, then speed; on a CPU the same script runs with tiny sizes.

    python tests/gpu/measure.py [--device cuda] [--tiny] [--only SECTION]... [--json FILE]

Sections, each a table:

- `models`: every model on every kind of data it takes is built, prepared, trained for a few rounds, sampled
  and asked for its abilities; all tensors must be finite and lie on the device.
- `synchronisations`: the same rounds and draws with torch's warnings of host synchronisations made errors,
  but where a model declares them (`Model.waits`).
- `agreement`: one round in float64 from the same weights and the same draws, on the CPU and on the device:
  the largest difference of a weight, relative to the largest weight (asked: 1e-6).
- `metrics`: metrics of points on the CPU and on the device (asked: 1e-3, relative).
- `rounds`: rounds of seeds per second for stacks of 1 to 64 seeds, beside a loop over seeds (asked: 12 x at
  S = 16), with float32, as CUDA graphs (`--compile graphs`) and with bfloat16 autocast; peak memory and the
  GPU's utilisation.
- `sampling`: samples per second.
- `extraction`: images per second of every feature extractor that takes the digits.

The first three take small versions of the models (`contracts/placement.brief_options`), so that the whole
fits into ten minutes. A summary at the end sets each figure beside what is asked. Exit code 1 where a model
fails or waits, or an agreement is missed; speed is shown and never fails. The rules of placement, which need
no GPU, are run by `pytest tests/contract -k device`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.contracts.placement import ability_calls, brief_options
from genbench.contracts.small import find_variants, open_small, taken
from genbench.core.dataset import DATASETS, Dataset
from genbench.core.errors import GenbenchError
from genbench.core.feature import EXTRACTORS
from genbench.core.metric import METRICS
from genbench.core.model import MODELS, Translator, build
from genbench.core.rng import Rng
from genbench.core.spec import Budget
from genbench.training.minibatches import prepare
from genbench.training.trainer import Trainer

#: options by which translators come again
VARIED = ("network", "loss", "content")
DATA = ("ring", "digits", "bars_and_stripes", "binary_digits", "markov_text")
SPEED = ("gan", "vae", "realnvp", "dcgan")
STACKS = (1, 4, 16, 64)


class HostRng(Rng):
    """Draws on the CPU, as an Rng there does, and hands the draws over to a device."""

    def _generator(self, seed: int) -> torch.Generator:
        return Rng([seed], path=self.path)._generator(seed)

    def permutation(self, n: int) -> Tensor:
        rows = [torch.randperm(n, generator=g) for g in self.generators]
        return torch.stack(rows).to(self.device)

    def _fill(self, shape: Any, dtype: torch.dtype, draw: Callable[..., Tensor]) -> Tensor:
        out = torch.empty((len(self.seeds), *shape), dtype=dtype)
        for row, generator in zip(out.unbind(0), self.generators, strict=True):
            draw(row, generator)
        return out.to(self.device)


def pairs(tiny: bool) -> Iterator[tuple[str, str, Dataset]]:
    """Yields every model, or every sixth, with each data set of DATA that it takes.

    Models that take none of them, and those that make points from sources, come with the small data sets of
    the contract, those again with every network and loss.
    """
    datasets = {name: DATASETS.get(name)() for name in DATA}
    for model in MODELS.names()[:: 6 if tiny else 1]:
        takes = {k: d for k, d in datasets.items() if MODELS.get(model).refuses(d.spec) is None}
        yield from ((model, name, dataset) for name, dataset in takes.items())
        if not takes or issubclass(MODELS.get(model), Translator):
            variants = [data for option in VARIED for (data,) in find_variants(model, option)]
            for data in (*taken(model), *variants):
                if data not in takes:
                    yield model, data, open_small(data)


def trained(
    name: str, dataset: Dataset, rng: Rng, rounds: int, *, small: str | None = None, **how: Any
) -> Trainer:
    """Returns the trainer of a prepared model after so many rounds; of a small one where data are named."""
    options = {} if small is None else brief_options(MODELS.get(name), small)
    model = prepare(build(name, dataset.spec, rng, options), dataset, rng)
    trainer = Trainer(model, dataset, Budget(steps=10**9), rng=rng, **{"batch": 64, **how})
    model.train()
    for _ in range(rounds if trainer.players else 0):
        trainer.round()
    return trainer


def check_models(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Trains every model a little on the device; returns what went wrong, by model and data set."""
    rows = []
    for name, data, dataset in pairs(tiny):
        if tiny and data not in ("ring", "bars_and_stripes"):
            continue
        problem = ""
        try:
            rng = Rng([0, 1], device=device)
            trainer = trained(name, dataset, rng, 2, small=data)
            with trainer.averaged() as model, torch.no_grad():
                outputs = {"samples": model.sample(16, rng.fork("sample"))}
                calls = ability_calls(model, trainer.minibatches(1.0), rng)
                outputs |= {ability: call() for ability, call in calls.items()}
            tensors = {**outputs, **dict(model.named_parameters()), **dict(model.named_buffers())}
            away = [key for key, t in tensors.items() if t.device.type != device.type]
            bad = [key for key, t in outputs.items() if not bool(t.isfinite().all())]
            problem = (
                f"not on {device}: {away[:3]}" if away else f"not finite: {bad}" if bad else ""
            )
        except Exception as error:
            problem = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        rows.append({"model": name, "data": data, "problem": problem})
    return rows


@contextmanager
def no_synchronisation(device: torch.device) -> Iterator[None]:
    """Makes a host synchronisation an error (on CUDA alone)."""
    if device.type != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def check_synchronisations(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Returns where a training round or a draw waits for the device."""
    rows = []
    for name, data, dataset in pairs(tiny):
        if tiny and data != "ring":
            continue
        for phase in ("round", "sample"):
            problem, reason = "", MODELS.get(name).waits.get(phase)
            if reason is not None:
                row = {"model": name, "data": data, "phase": phase, "problem": ""}
                rows.append(row | {"declared": reason})
                continue
            try:
                rng = Rng([0, 1], device=device)
                trainer = trained(name, dataset, rng, 1, small=data)
                sampler = rng.fork("sample")
                with torch.no_grad():
                    trainer.model.sample(4, sampler)
                with no_synchronisation(device):
                    if phase == "round" and trainer.players:
                        trainer.round()
                    elif phase == "sample":
                        with torch.no_grad():
                            trainer.model.sample(4, sampler)
            except Exception as error:
                problem = (
                    f"{type(error).__name__}: {' '.join(str(error).split())[:80]}{_line(error)}"
                )
            rows.append({"model": name, "data": data, "phase": phase, "problem": problem})
    return rows


def _line(error: BaseException) -> str:
    """The last line of genbench in an exception's trace."""
    where, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "/genbench/" in file:
            where = f" at {file.split('/genbench/')[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


def check_agreement(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Returns how far weights are apart after one round in float64, from the same draws."""
    rows = []
    for name, data, dataset in pairs(tiny):
        if tiny and data != "ring":
            continue
        try:
            sides = []
            for kind, place in ((Rng, "cpu"), (HostRng, device)):
                rng = kind([0, 1], device=place, dtype=torch.float64)
                trainer = trained(name, dataset, rng, 1, batch=16, small=data)
                sides.append([p.detach().cpu().double() for p in trainer.model.parameters()])
            scale = max((float(p.abs().max()) for p in sides[0] if p.numel()), default=1.0)
            gaps = [
                float((a - b).abs().max()) / scale
                for a, b in zip(*sides, strict=True)
                if a.numel()
            ]
            rows.append(
                {"model": name, "data": data, "gap": max(gaps, default=0.0), "problem": ""}
            )
        except Exception as error:
            text = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}{_line(error)}"
            rows.append({"model": name, "data": data, "gap": None, "problem": text})
    return rows


def check_metrics(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Returns metrics of points on both sides, and how far they are apart."""
    n = 200 if tiny else 2000
    draws = Rng([0])
    real, fake = draws.normal(n, 16)[0], 0.9 * draws.normal(n, 16)[0] + 0.1
    rows = []
    for name, metric in METRICS.all().items():
        if metric.view not in ("points", "features") or metric.needs:
            continue
        values: list[dict[str, float]] = []
        problem = ""
        try:
            for place in ("cpu", device):
                score = metric.function(real.to(place), fake.to(place), rng=Rng([0]))
                entries = score if isinstance(score, dict) else {name: score}
                plain = {k: getattr(v, "value", v) for k, v in entries.items()}
                values.append({k: float(v) for k, v in plain.items() if v is not None})
        except Exception as error:
            problem = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}{_line(error)}"
        gap = None
        if len(values) == 2:
            gap = max(
                (abs(values[1][k] - v) / max(abs(v), 1e-9) for k, v in values[0].items()),
                default=0.0,
            )
        rows.append({"metric": name, "gap": gap, "problem": problem})
    return rows


def rate(step: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Returns calls per second, the device waited for."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    for _ in range(3):
        step()
    wait()
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for _ in range(5):
            step()
        wait()
        count += 5
    return count / (time.perf_counter() - began)


def utilisation() -> float | None:
    """Returns the GPU's utilisation in the last moments, in percent, or None where nothing tells."""
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10)
        return float(done.stdout.split()[0])
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError):
        return None


def measure_rounds(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Returns rounds of seeds per second by stack, on ring for perceptrons, on digits for convolutions."""
    rows = []
    cuda = device.type == "cuda"
    ways: dict[str, dict[str, Any]] = {"float32": {}}
    if cuda:
        ways |= {"graphs": {"graphs": True}, "bf16": {"autocast": True}}
    for name in SPEED[:1] if tiny else SPEED:
        dataset = DATASETS.get("digits" if name == "dcgan" else "ring")()
        alone: dict[str, float] = {}
        for seeds in STACKS[:2] if tiny else STACKS:
            row: dict[str, Any] = {"model": name, "S": seeds}
            for way, how in ways.items():
                if cuda:
                    torch.cuda.reset_peak_memory_stats(device)
                rng = Rng(range(seeds), device=device)
                trainer = trained(name, dataset, rng, 1, batch=256, **how)
                row[way] = seeds * rate(trainer.advance, device, 0.2 if tiny else 1.0)
                alone.setdefault(way, row[way])
                row[f"{way}, times a loop over seeds"] = row[way] / alone[way]
                reason = getattr(trainer.advance, "reason", None)
                if reason is not None:
                    row[f"{way}, not captured"] = reason
                if cuda and way == "float32":
                    row["utilisation %"] = utilisation()
                    row["peak MiB"] = torch.cuda.max_memory_allocated(device) / 2**20
            rows.append(row)
    return rows


def measure_sampling(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Returns samples per second of one seed, in draws of 10,000."""
    rows = []
    n = 100 if tiny else 10_000
    for name in SPEED[:1] if tiny else (*SPEED, "made", "ddpm"):
        dataset = DATASETS.get("digits" if name == "dcgan" else "ring")()
        rng = Rng([0], device=device)
        trainer = trained(name, dataset, rng, 1)
        trainer.model.eval()
        sampler = rng.fork("sample")
        with torch.no_grad():
            calls = rate(lambda: trainer.model.sample(n, sampler), device, 0.2 if tiny else 1.0)  # noqa: B023
        rows.append({"model": name, "samples per second": n * calls})
    return rows


def measure_extraction(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """Returns images per second of the extractors that take the digits and need no download."""
    rows = []
    dataset = DATASETS.get("digits")()
    x = dataset.points("test")
    x = (x[:8] if tiny else x.repeat(16, 1, 1, 1)).to(device)
    for name in EXTRACTORS.names():
        try:
            extractor = EXTRACTORS.get(name)(dataset)
        except GenbenchError as error:
            rows.append({"extractor": name, "images per second": f"not measured: {error}"[:160]})
            continue
        # a copy, since extractors keep what they gave for the same tensor
        calls = rate(lambda: extractor.extract(x.clone()), device, 0.1 if tiny else 1.0)  # noqa: B023
        rows.append({"extractor": name, "images per second": len(x) * calls})
    return rows


def summarise(results: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str, str]]:
    """Returns what was measured beside what is asked, a line each, of the sections that ran."""
    lines = []
    for name, asked in (("models", "every model"), ("synchronisations", "none waits")):
        rows = results.get(name, [])
        good = sum(not row["problem"] for row in rows)
        lines += [(name, f"{good} of {len(rows)}", asked)] if rows else []
    for name, limit in LIMITS.items():
        gaps = [row["gap"] for row in results.get(name, []) if row["gap"] is not None]
        lines += [(name, f"largest gap {max(gaps):.2g}", f"{limit:g}")] if gaps else []
    for row in results.get("rounds", []):
        ways = [w for w in ("float32", "graphs") if f"{w}, times a loop over seeds" in row]
        times = ", ".join(f"{w} {row[f'{w}, times a loop over seeds']:.1f} x" for w in ways)
        asked = ">= 12 x" if row["S"] == 16 else "-"
        lines.append((f"{row['model']}, {row['S']} seeds over a loop", times, asked))
    return lines


#: the largest differences asked for between the CPU and the device
LIMITS = {"agreement": 1e-6, "metrics": 1e-3}
SECTIONS: dict[str, Callable[[torch.device, bool], list[dict[str, Any]]]] = {
    "models": check_models,
    "synchronisations": check_synchronisations,
    "agreement": check_agreement,
    "metrics": check_metrics,
    "rounds": measure_rounds,
    "sampling": measure_sampling,
    "extraction": measure_extraction,
}


def show(name: str, rows: list[dict[str, Any]], seconds: float) -> None:
    """Prints a section's table; of checks that went well only their number."""
    bad = [row for row in rows if row.get("problem")]
    print(f"\n## {name} ({len(rows)} rows, {seconds:.0f} s)", flush=True)
    if any("problem" in row for row in rows):
        print(f"{len(rows) - len(bad)} of {len(rows)} without a problem")
        gaps = [row["gap"] for row in rows if row.get("gap") is not None]
        if gaps:
            print(f"gaps: median {statistics.median(gaps):.2g}, largest {max(gaps):.2g}")
            wide = sorted((r for r in rows if r.get("gap")), key=lambda r: -r["gap"])[:5]
            for row in wide:
                print("  ", " ".join(str(v) for k, v in row.items() if k != "problem"))
        for row in bad:
            print("  ", " | ".join(str(v) for v in row.values() if v is not None))
        return
    for row in rows:
        print(
            "  ",
            ", ".join(
                f"{k} {v:,.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()
            ),
        )


def failed(results: dict[str, list[dict[str, Any]]]) -> bool:
    """Whether a check went wrong."""
    checks = (row for name in ("models", "synchronisations") for row in results.get(name, []))
    return any(row["problem"] for row in checks) or any(
        row["problem"] or (row["gap"] or 0.0) > limit
        for name, limit in LIMITS.items()
        for row in results.get(name, [])
    )


def main() -> None:
    """Parses, measures, prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--only", action="append", choices=SECTIONS, default=[])
    parser.add_argument("--json", type=Path, help="write all rows to this file")
    chosen = parser.parse_args()
    device = torch.device(chosen.device)
    warnings.simplefilter("ignore")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    title = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True
    )
    print(f"# {title}, torch {torch.__version__}, {commit.stdout.strip()}", flush=True)
    results = {}
    for name in chosen.only or SECTIONS:
        began = time.perf_counter()
        results[name] = SECTIONS[name](device, chosen.tiny)
        show(name, results[name], time.perf_counter() - began)
        if chosen.json:
            chosen.json.write_text(json.dumps(results, indent=1))
    print("\n## summary: measured, asked")
    for what, measured, asked in summarise(results):
        print(f"   {what:40} {measured:32} {asked}")
    sys.exit(int(failed(results)))


if __name__ == "__main__":
    main()
