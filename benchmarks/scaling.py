"""Time and peak memory of our simulator against time steps, batch and width, each point in a fresh process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.fresh_process import run_in_fresh_process
from benchmarks.networks import RESNET20, TINY, Case, Prepared, prepare
from benchmarks.power_law import fitted_exponent

TIMESTEPS = (8, 16, 32, 64, 128, 256, 512)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
WIDTHS = ("resnet8", "resnet8_twice_as_wide", "resnet8_four_times_as_wide")
BATCH_OF_TIMESTEPS = 8
BATCH_OF_WIDTHS = 16
QUICK_TIMESTEPS, QUICK_BATCHES = (8, 32), (1, 8)


def measure_scaling(resnet20: Prepared, data: Path | None, folder: Path, quick: bool) -> dict[str, Any]:
    """Measure all series.

    Parameters
    ----------
    resnet20 : Prepared
        The network of the series over time steps and batch.
    data : Path or None
        Folder of images, for the networks of other widths.
    folder : Path
        Where these are prepared.
    quick : bool
        Few and small points.

    Returns
    -------
    dict
        "series": each with what varies, the points and the exponents; "largest": the point of the largest batch.
    """
    steps, batches = (QUICK_TIMESTEPS, QUICK_BATCHES) if quick else (TIMESTEPS, BATCHES)
    own = resnet20.case.timesteps
    over_steps = [(one, _point(resnet20, one, BATCH_OF_TIMESTEPS)) for one in steps]
    over_batch = [(one, _point(resnet20, own, one)) for one in batches]
    over_width = []
    for factory in WIDTHS[:2] if quick else WIDTHS:
        wide = prepare(_wide_case(factory, quick), data, folder / factory)
        synapses = sum(projection.connectivity.synapse_count for projection in wide.network.projections)
        over_width.append((synapses, _point(wide, wide.case.timesteps, BATCH_OF_WIDTHS)))
    name = resnet20.case.name
    return {
        "series": [
            _series(f"time steps ({name}, {BATCH_OF_TIMESTEPS} images)", over_steps),
            _series(f"images at once ({name}, T = {own})", over_batch),
            _series(f"synapses (ResNet-8 of several widths, {BATCH_OF_WIDTHS} images)", over_width),
        ],
        "largest": {"network": name, "timesteps": own, "batch": batches[-1], **over_batch[-1][1]},
    }


def _wide_case(factory: str, quick: bool) -> Case:
    """A ResNet-8 with seeded weights."""
    base = TINY if quick else replace(RESNET20, weights=None)
    return replace(base, name=factory, factory=f"benchmarks.wide_resnet:{factory}")


def _point(prepared: Prepared, timesteps: int, batch: int) -> dict[str, float]:
    """Seconds, baseline and peak memory of one run."""
    arguments = (str(prepared.folder), str(timesteps), str(batch))
    return run_in_fresh_process("benchmarks.scaling_point", *arguments)


def _series(name: str, points: list[tuple[int, dict[str, float]]]) -> dict[str, Any]:
    sizes = [size for size, _ in points]
    own_memory = [max(point["peak_mib"] - point["baseline_mib"], 1.0) for _, point in points]
    return {
        "over": name,
        "points": [{"size": size, **point} for size, point in points],
        "seconds_exponent": fitted_exponent(sizes, [point["seconds"] for _, point in points]),
        "memory_exponent": fitted_exponent(sizes, own_memory),
    }
