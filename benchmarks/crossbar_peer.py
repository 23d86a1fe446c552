"""Networks on crossbars in our simulator and in RANC's, spike for spike.

python -m benchmarks.crossbar_peer RANC_SIMULATOR [DATA_FOLDER] [--networks hand-made,bordered,zero,dense,mnist]

RANC_SIMULATOR is the executable that RANC's simulator/ builds; nothing of it is part of nmdeploy. DATA_FOLDER holds
mnist/; without it, networks with seeded weights alone are compared. Exit code 1 if a spike differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.crossbar_comparison import CrossbarCase, compare_with_ranc
from benchmarks.energy_peers import BORDERED, DENSE
from benchmarks.hand_made_crossbars import hand_made_crossbars
from benchmarks.mapped_crossbars import map_to_crossbars
from benchmarks.networks import MNIST_CNN
from nmdeploy.quantize import QuantizationOptions

WITHOUT_DATA = ("hand-made", "bordered", "zero", "dense")
WITH_DATA = ("mnist",)
MNIST_TIMESTEPS = 16
SAMPLES = 3


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranc_simulator", type=Path)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--networks", help="separated by commas; all for which there is data if not given")
    options = parser.parse_args()
    all_names = [*WITHOUT_DATA, *(WITH_DATA if options.data else ())]
    names = options.networks.split(",") if options.networks else all_names
    problems = []
    for name in names:
        comparison = compare_with_ranc(crossbar_case(name, options.data), options.ranc_simulator)
        print("\n".join([*comparison.table(), ""]), flush=True)
        problems += [f"{name}: {problem}" for problem in comparison.problems()]
    print("\n".join(problems) or "No spike differs.")
    sys.exit(bool(problems))


def crossbar_case(name: str, data: Path | None) -> CrossbarCase:
    """The network of a name, mapped."""
    if name == "hand-made":
        return hand_made_crossbars()
    if name == "zero":
        return map_to_crossbars(BORDERED, None, SAMPLES, QuantizationOptions(BORDERED.timesteps, reset="zero"))
    case, timesteps = {
        "bordered": (BORDERED, BORDERED.timesteps),
        "dense": (DENSE, DENSE.timesteps),
        "mnist": (MNIST_CNN, MNIST_TIMESTEPS),
    }[name]
    return map_to_crossbars(case, data, SAMPLES, QuantizationOptions(timesteps))


if __name__ == "__main__":
    main()
