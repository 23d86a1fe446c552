"""Speed of the simulator and of our Lava processes against others, every ratio from one run.

python -m benchmarks.simulator DATA [--quick] [--only PART,...] [--json FILE]

DATA is a folder with mnist/ and cifar10/ as in `benchmarks.networks`. Prints Markdown; progress goes to standard error.
docs/benchmarks.md says what the parts are and why they are fair.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.comparison import SIMULATOR, compare
from benchmarks.contestant import ContestantError
from benchmarks.fresh_process import MeasurementError
from benchmarks.networks import MNIST_CNN, RESNET20, TINY, VGG16, Prepared, prepare
from benchmarks.our_lava import time_our_lava
from benchmarks.peer_environment import SPIKINGJELLY, NoEnvironmentError, peer_python
from benchmarks.report import render
from benchmarks.scaling import measure_scaling
from benchmarks.stock_lava import time_stock_lava
from nmdeploy.errors import BackendError

PARTS = ("bound", "stock", "spikingjelly", "lava", "scaling")
BATCHES, QUICK_BATCHES = (1, 128), (1, 8)
SECONDS_A_COMPARISON = 20.0
LAVA_ROUNDS = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", help="not needed with --quick")
    parser.add_argument("--quick", action="store_true", help="a tiny network, few runs: that everything works")
    parser.add_argument("--only", type=_parts, help=f"some of {', '.join(PARTS)}; all but spikingjelly if quick")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures to this file")
    parser.add_argument(
        "--spikingjelly-environment",
        type=Path,
        default=Path(".venv-spikingjelly"),
        metavar="FOLDER",
        help="virtual environment of SpikingJelly, made if missing",
    )
    options = parser.parse_args()
    if options.data is None and not options.quick:
        parser.error("the folder of data is missing (only --quick works without)")
    if options.only is None:
        options.only = [part for part in PARTS if part != "spikingjelly" or not options.quick]
    return options


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(PARTS)}")
    return parts


def measure(options: argparse.Namespace, folder: Path, results: dict[str, Any]) -> None:
    """Measure all parts that were asked for.

    Parameters
    ----------
    options : argparse.Namespace
        See `arguments`.
    folder : Path
        For the compiled networks.
    results : dict
        Filled part by part, so that a failure leaves what was measured before.
    """
    cases = (TINY,) if options.quick else (RESNET20, MNIST_CNN, VGG16)
    prepared = [_announced(f"compile {case.name}", prepare, case, options.data, folder / case.name) for case in cases]
    if {"bound", "spikingjelly", "stock"} & set(options.only):
        results["comparisons"] = []
        _compare_all(prepared, options, results["comparisons"])
    if {"stock", "lava"} & set(options.only):
        results["lava"] = []
        for one in prepared:
            results["lava"].append(_announced(f"Lava {one.case.name}", _lava, one, options, results))
    if "scaling" in options.only:
        results["scaling"] = _announced("scaling", measure_scaling, prepared[0], options.data, folder, options.quick)


def _compare_all(prepared: list[Prepared], options: argparse.Namespace, found: list[dict[str, Any]]) -> None:
    """Every network on all cores, the first one also on one core."""
    python = None
    if "spikingjelly" in options.only:
        environment = options.spikingjelly_environment.resolve()
        python = _announced("SpikingJelly's environment", peer_python, environment, SPIKINGJELLY)
    cores = len(os.sched_getaffinity(0))
    settings = [(one, cores) for one in prepared]
    if cores > 1 and not options.quick:
        settings.insert(1, (prepared[0], 1))
    for one, threads in settings:
        found += _announced(
            f"{one.case.name} on {threads} cores",
            compare,
            one,
            threads=threads,
            batches=QUICK_BATCHES if options.quick else BATCHES,
            bound="bound" in options.only,
            spikingjelly_python=python,
            rounds=one.case.rounds,
            seconds=SECONDS_A_COMPARISON,
        )


def _lava(one: Prepared, options: argparse.Namespace, results: dict[str, Any]) -> dict[str, Any]:
    """Stock Lava's time for a step against the simulator's at the largest batch and our processes'."""
    found: dict[str, Any] = {"network": one.case.name, "stock": time_stock_lava(one.folder)}
    if "stock" in options.only:
        own = [each for each in results["comparisons"] if each["network"] == one.case.name]
        largest = max(own, key=lambda each: (each["threads"], each["batch"]))  # stock Lava uses all cores
        images = largest["batch"] * one.case.timesteps
        found["simulator_step_seconds"] = min(largest["contestants"][SIMULATOR]["seconds"]) / images
    if "lava" in options.only:
        ours = time_our_lava(one, 1 if options.quick else LAVA_ROUNDS)
        found |= {f"lava_{name}": value for name, value in ours.items()}
    return found


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0].split(":")[1].strip() if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _announced(what: str, work: Any, *arguments: Any, **keywords: Any) -> Any:
    begin = time.perf_counter()
    print(f"{what} ...", end=" ", file=sys.stderr, flush=True)
    result = work(*arguments, **keywords)
    print(f"{time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    return result


def main() -> None:
    options = arguments()
    begin = time.perf_counter()
    results: dict[str, Any] = {"machine": machine(), "quick": options.quick}
    failure = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            measure(options, Path(folder), results)
        except (ContestantError, MeasurementError, NoEnvironmentError, BackendError) as error:
            failure = str(error)
    results["seconds"] = time.perf_counter() - begin
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1))
    print(render(results))
    if failure is not None:
        sys.exit(f"\n{failure}")


if __name__ == "__main__":
    main()
