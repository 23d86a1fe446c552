"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

from benchmarks.comparison import EXAMPLE_MODE, FLOAT_BOUND, SIMULATOR, SPIKINGJELLY

BOUND_GOAL = 1.2
STOCK_GOAL = 1000
LAVA_GOAL = 100
MEMORY_GOAL_MIB = 2 * 1000**3 / 2**20
SPIKINGJELLY_GOALS = {1: (3.0, 8.0), 128: (1.5, 3.0)}


def render(results: dict[str, Any]) -> str:
    """All parts that were measured, with the goals.

    Parameters
    ----------
    results : dict
        As `benchmarks.simulator` collects them.
    """
    machine = results["machine"]
    parts = [
        f"{machine['processor']}, {machine['cores']} cores; Python {machine['python']}, torch {machine['torch']}, "
        f"{results['seconds']:.0f} s in all, every ratio from this one run."
    ]
    comparisons = results.get("comparisons", [])
    if comparisons:
        parts += [_times(comparisons), _ratios(comparisons)]
    if "lava" in results:
        parts.append(_lava(results["lava"]))
    if "scaling" in results:
        parts.append(_scaling(results["scaling"]))
    if results["quick"]:
        parts.insert(0, "A quick run of a tiny network: the goals are not meant for it.")
    return "\n\n".join(parts)


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    head = list(header)
    lines = [head, ["---"] * len(head), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.2f}" if seconds < 0.1 else f"{seconds * 1e3:.0f}"


def _times(comparisons: list[dict[str, Any]]) -> str:
    rows = []
    for comparison in comparisons:
        batch = comparison["batch"]
        for name, measured in comparison["contestants"].items():
            per_image = [seconds / batch for seconds in measured["seconds"]]
            correct = measured.get("correct")
            steps = measured.get("measured_steps")
            mode = measured["mode"] if steps is None else f"{measured['mode']}, {steps} steps timed"
            least, middle = _milliseconds(min(per_image)), _milliseconds(median(per_image))
            row = [comparison["network"], comparison["threads"], batch, name, least, middle, len(per_image)]
            rows.append([*row, "" if correct is None else correct, mode])
    header = ("network", "cores", "images at once", "", "ms per image, least", "median", "runs", "correct", "mode")
    return "### Times for a whole window\n\n" + table(header, rows)


def _ratios(comparisons: list[dict[str, Any]]) -> str:
    rows = []
    for comparison in comparisons:
        where = (comparison["network"], comparison["threads"], comparison["batch"])
        seconds = {name: measured["seconds"] for name, measured in comparison["contestants"].items()}
        ours = seconds[SIMULATOR]
        if FLOAT_BOUND in seconds:
            dense = seconds[FLOAT_BOUND]
            least, middle = min(ours) / min(dense), median(ours) / median(dense)
            goal = f"<= {BOUND_GOAL}: {_met(least <= BOUND_GOAL)}"
            rows.append((*where, "(b) ours / T x float", f"{least:.2f}", f"{middle:.2f}", goal))
        for what, theirs in _spikingjelly(seconds).items():
            least, middle = min(theirs) / min(ours), median(theirs) / median(ours)
            goal = _spikingjelly_goal(comparison["batch"], least)
            rows.append((*where, f"(c) {what} / ours", f"{least:.2f}", f"{middle:.2f}", goal))
    header = ("network", "cores", "images at once", "ratio", "of the least", "of the medians", "goal")
    return "### (b) float bound and (c) SpikingJelly\n\n" + table(header, rows)


def _spikingjelly(seconds: dict[str, list[float]]) -> dict[str, list[float]]:
    """Its times in its fastest mode and as in its examples."""
    modes = {name: times for name, times in seconds.items() if name.startswith(SPIKINGJELLY)}
    if not modes:
        return {}
    fastest = min(modes, key=lambda name: min(modes[name]))
    return {
        "SpikingJelly, fastest mode": modes[fastest],
        "SpikingJelly, as in its examples": modes[SPIKINGJELLY + EXAMPLE_MODE],
    }


def _spikingjelly_goal(batch: int, ratio: float) -> str:
    if batch not in SPIKINGJELLY_GOALS:
        return ""
    least, aim = SPIKINGJELLY_GOALS[batch]
    return f">= {least:g}: {_met(ratio >= least)}, aim {aim:g}: {_met(ratio >= aim)}"


def _met(met: bool) -> str:
    return "met" if met else "missed"


def _lava(results: list[dict[str, Any]]) -> str:
    rows = []
    for one in results:
        stock = one["stock"]["step_seconds"]
        columns = [one["network"], one["stock"]["processes"], _milliseconds(stock), one["stock"]["measured_steps"]]
        for key, goal in (("simulator_step_seconds", STOCK_GOAL), ("lava_step_seconds", LAVA_GOAL)):
            if key in one:
                ratio = stock / one[key]
                columns += [f"{one[key] * 1e3:.3f}", f"{ratio:,.0f} (>= {goal:,}: {_met(ratio >= goal)})"]
            else:
                columns += ["", ""]
        starts = [one["stock"]["start_seconds"], one.get("lava_start_seconds")]
        rows.append([*columns, " / ".join("" if start is None else f"{start:.1f}" for start in starts)])
    header = ("network", "stock processes", "stock Lava", "steps timed", "simulator", "(a) stock / simulator")
    header += ("our Lava processes", "(d) stock / our processes", "start of stock / ours, s")
    note = (
        "Milliseconds for one step of one image. Stock Lava (its own LIF, Conv and Dense) is timed for a few steps of "
        "one image and extrapolated: a network of the same convolutions and neurons, without shortcuts and with reset "
        "to zero, as its own processes have neither delays nor reset by subtraction; its Conv takes the same time "
        "whatever the spikes."
    )
    return f"### (a), (d) stock Lava\n\n{note}\n\n{table(header, rows)}"


def _scaling(scaling: dict[str, Any]) -> str:
    parts = [
        "### (e) growth\n\nEach point in a fresh process; MiB are peak resident memory, in brackets without what is "
        "there before the run. The exponents are those of power laws: 1 is linear."
    ]
    for series in scaling["series"]:
        rows = [(f"{point['size']:,}", f"{point['seconds']:.3f}", _memory(point)) for point in series["points"]]
        rows.append(("exponent", f"{series['seconds_exponent']:.2f}", f"{series['memory_exponent']:.2f}"))
        parts.append(table((series["over"], "s", "MiB"), rows))
    largest = scaling["largest"]
    peak = largest["peak_mib"]
    parts.append(
        f"Peak of {largest['network']}, {largest['batch']} images, T = {largest['timesteps']}: {peak:.0f} MiB "
        f"(< {MEMORY_GOAL_MIB:.0f} MiB = 2 GB: {_met(peak < MEMORY_GOAL_MIB)})."
    )
    return "\n\n".join(parts)


def _memory(point: dict[str, float]) -> str:
    return f"{point['peak_mib']:.0f} ({point['peak_mib'] - point['baseline_mib']:.0f})"
