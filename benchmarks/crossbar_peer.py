"""Networks on crossbars in our simulator and in RANC's, spike for spike.

python -m benchmarks.crossbar_peer RANC_SIMULATOR [DATA_FOLDER] [--networks hand-made,bordered,zero,dense,mnist]
python -m benchmarks.crossbar_peer RANC_SIMULATOR --artifact NETWORK.nmd --samples SAMPLES.npz [--limit 3]

RANC_SIMULATOR is the executable that RANC's simulator/ builds; nothing of it is part of nmdeploy. DATA_FOLDER holds
mnist/; without it, networks with seeded weights alone are compared. Or compare what `nmdeploy compile` wrote for
truenorth. Exit code 1 if a spike differs.
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
from hw_profiles.crossbar_profile import CrossbarProfile
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.data_file import read_data
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
    parser.add_argument("--artifact", type=Path)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--limit", type=int, default=SAMPLES)
    options = parser.parse_args()
    if (options.artifact is None) != (options.samples is None):
        parser.error("--artifact and --samples go together")
    all_names = [*WITHOUT_DATA, *(WITH_DATA if options.data else ())]
    names = options.networks.split(",") if options.networks else all_names
    cases = (crossbar_case(name, options.data) for name in names)
    if options.artifact is not None:
        cases = iter([case_of_artifact(options.artifact, options.samples, options.limit)])
    problems = []
    for case in cases:
        comparison = compare_with_ranc(case, options.ranc_simulator)
        print("\n".join([*comparison.table(), ""]), flush=True)
        problems += [f"{case.name}: {problem}" for problem in comparison.problems()]
    print("\n".join(problems) or "No spike differs.")
    sys.exit(bool(problems))


def case_of_artifact(folder: Path, samples: Path, limit: int) -> CrossbarCase:
    """A network as it was compiled."""
    compiled = read_artifact(folder)
    if compiled.program is None or not isinstance(compiled.profile, CrossbarProfile):
        raise SystemExit(f"{folder}: compiled for {compiled.profile.name}, which has no crossbars")
    shape = compiled.network.input_shape
    return CrossbarCase(
        folder.name,
        compiled.network,
        compiled.program,
        len(compiled.placement.cores),
        compiled.profile,
        compiled.manifest.preprocessing.apply(read_data(samples, limit).samples, shape),
    )


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
