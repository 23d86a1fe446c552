"""How far placements are from the optimum, which is found by exhaustion: for networks of a dozen cores or two routers.

python -m benchmarks.optimal_placement DATA_FOLDER

DATA_FOLDER holds mnist/. Cores, slots and spikes are those of `benchmarks.mapping --part placement`. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import nested_cuts, two_routers
from benchmarks.mapping_placement import LARGE_MESH, RealProblem, real_problem
from benchmarks.networks import MNIST_CNN
from benchmarks.published_placement import force_directed, hilbert_placement
from benchmarks.report import table
from benchmarks.two_routers import lightest_bisection
from mapping.hop_bounds import traffic_matrix
from mapping.optimise_placement import optimise_placement
from mapping.placement_options import PlacementOptions
from mapping.placement_problem import PlacementProblem, current_slots

IntArray = NDArray[np.int64]


def least_cost(problem: PlacementProblem, known: int) -> int:
    """Cost of the cheapest placement, in units; parameters and errors are those of `nested_cuts.least_cost`."""
    slots = problem.slots
    slots_of_routers = np.bincount(slots.y * slots.width + slots.x)
    alike = len(slots.starts) == 2 and len(slots_of_routers) == 2 and slots_of_routers[0] == slots_of_routers[1]
    if not alike or len(problem.group_of) > two_routers.MOST_CORES:
        return nested_cuts.least_cost(problem, known)
    hop = problem.hop_costs[0] if slots.width == 2 else problem.hop_costs[1]
    return hop * int(lightest_bisection(traffic_matrix(problem).astype(np.int64), int(slots_of_routers[0])))


def cost_in_units(problem: PlacementProblem, slot_of: IntArray) -> int:
    """What a placement costs, as whole units: without messages of a core to itself, which cost nothing."""
    rows = np.repeat(np.arange(len(slot_of)), np.diff(problem.first))
    x, y = problem.slots.x[slot_of], problem.slots.y[slot_of]
    costs = problem.cost(x[rows] - x[problem.other], y[rows] - y[problem.other])
    return int(problem.weight @ costs) // 2


def row(name: str, target: str, real: RealProblem) -> tuple[str, ...]:
    """One line of the table."""
    problem = real.problem
    ours = optimise_placement(real.placement, problem.traffic, real.profile, PlacementOptions())
    published = force_directed(problem, hilbert_placement(problem))
    found = [cost_in_units(problem, slot_of) for slot_of in (published, current_slots(problem, ours))]
    begin = time.process_time()
    least = least_cost(problem, min(found))
    seconds = time.process_time() - begin
    hops = [cost * problem.unit / float(problem.traffic.messages.sum()) for cost in (*found, least)]
    ratios = [f"{cost / least:.4f}" for cost in found]
    return (name, target, str(len(ours.cores)), *(f"{each:.4f}" for each in hops), *ratios, f"{seconds:.1f}")


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--samples", type=int, default=16, help="test images")
    options = parser.parse_args()
    rows = [
        row(MNIST_CNN.name, target, real_problem(MNIST_CNN, target, options.data, options.samples))
        for target in ("loihi", "spinnaker", LARGE_MESH)
    ]
    header = ("network", "target", "cores", "hops a message, force-directed", "ours", "optimum")
    print(table((*header, "force-directed / optimum", "ours / optimum", "s of the proof"), rows))


if __name__ == "__main__":
    main()
