"""Our counts of operations and events beside NeuroBench's and SANA-FE's, to the integer.

python -m benchmarks.energy_peers [DATA_FOLDER] [--only neurobench,sanafe]
    [--networks bordered,binary,dense,mnist,resnet20]

DATA_FOLDER holds mnist/ and cifar10/; without it, networks with seeded weights alone are compared. The peers run in
virtual environments of their own, which are made at the first run. Exit code 1 if anything differs that should not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.energy_peers_neurobench import neurobench_table, run_neurobench
from benchmarks.energy_peers_sanafe import run_sanafe, sanafe_table
from benchmarks.mapped_case import MappedCase, map_case
from benchmarks.networks import MNIST_CNN, RESNET20, Case
from benchmarks.peer_environment import NEUROBENCH, SANAFE, peer_python
from nmdeploy.preprocessing import Preprocessing

ROOT = Path(__file__).resolve().parents[1]
BORDERED = Case(
    "Convolutions with borders", "benchmarks.small_networks:bordered_convolutions", None, None, None, Preprocessing(),
    (2, 9, 7), timesteps=16,
)  # fmt: skip
DENSE = Case(
    "Dense layers 64-512-512-256-10", "benchmarks.small_networks:dense_layers", None, None, None, Preprocessing(),
    (64, 1, 1), timesteps=32,
)  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """A case for some peers.

    Attributes
    ----------
    case : Case
    samples : dict of peer to int
        How many samples it counts; peers that are not named do not see the case.
    binary_input : bool
        Whether the input is 1 where it was positive, and else 0.
    """

    case: Case
    samples: dict[str, int]
    binary_input: bool = False


COMPARISONS = {
    "bordered": Comparison(BORDERED, {"neurobench": 6, "sanafe": 6}),
    "binary": Comparison(replace(BORDERED, name="The same, input of 0 and 1"), {"neurobench": 6}, binary_input=True),
    "dense": Comparison(DENSE, {"neurobench": 4, "sanafe": 4}),
    "mnist": Comparison(replace(MNIST_CNN, timesteps=16), {"neurobench": 20, "sanafe": 5}),
    "resnet20": Comparison(replace(RESNET20, timesteps=8), {"neurobench": 4}),
}


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--only", default="neurobench,sanafe", help="peers, separated by commas")
    parser.add_argument("--networks", help="separated by commas; all for which there is data if not given")
    parser.add_argument("--threads", type=int, default=2, help="of the peers")
    options = parser.parse_args()
    without_data = [name for name, one in COMPARISONS.items() if one.case.weights is None]
    names = options.networks.split(",") if options.networks else list(COMPARISONS if options.data else without_data)
    problems = []
    for peer in options.only.split(","):
        compare = _peer(peer, options.threads)
        for name in names:
            if peer in COMPARISONS[name].samples:
                lines, found = compare(map_comparison(COMPARISONS[name], options.data, peer))
                print("\n".join([f"**{peer}**: " + lines[0], *lines[1:], ""]), flush=True)
                problems += [f"{peer}, {name}: {problem}" for problem in found]
    print("\n".join(problems) or "Everything that should be equal is.")
    sys.exit(bool(problems))


def map_comparison(comparison: Comparison, data: Path | None, peer: str) -> MappedCase:
    """Compile, place and simulate the case of a comparison."""
    samples = comparison.samples[peer]
    if not comparison.binary_input:
        return map_case(comparison.case, data, samples)
    return map_case(comparison.case, data, samples, lambda inputs: (inputs > 0).astype(np.float32))


def _peer(name: str, threads: int) -> Callable[[MappedCase], tuple[list[str], list[str]]]:
    """From a case to the lines of its table and the problems found, in the environment of a peer."""
    if name == "neurobench":
        python = peer_python(ROOT / ".venv-neurobench", NEUROBENCH)

        def neurobench(case: MappedCase) -> tuple[list[str], list[str]]:
            run = run_neurobench(case, python, threads)
            return neurobench_table(case, run), run.problems(case)

        return neurobench
    python = peer_python(ROOT / ".venv-sanafe", SANAFE)

    def sanafe(case: MappedCase) -> tuple[list[str], list[str]]:
        run = run_sanafe(case, python, threads)
        return sanafe_table(case, run), run.problems(case)

    return sanafe


if __name__ == "__main__":
    main()
