"""The optimum of the benchmark is that of trying every placement."""

from itertools import product

import numpy as np
import pytest

from benchmarks.nested_cuts import MOST_CORES
from benchmarks.optimal_placement import cost_in_units, least_cost
from mapping.core_traffic import CoreTraffic
from mapping.mesh_slots import MeshSlots
from mapping.placement import CoreAddress
from mapping.placement_problem import graph_problem


def problem_on(width, height, slots_of_a_router, cores, hop_costs, seed):
    """Random traffic of which half of the pairs send nothing."""
    sites = list(product(range(height), range(width), range(slots_of_a_router)))
    slots = MeshSlots(
        tuple(CoreAddress(0, x, y, slot) for y, x, slot in sites),
        np.array([x for _, x, _ in sites]),
        np.array([y for y, _, _ in sites]),
        np.array([0, len(sites)]),
        width,
        height,
    )
    source, target = np.triu_indices(cores, 1)
    messages = np.maximum(np.random.default_rng(seed).integers(-9, 10, len(source)), 0).astype(np.float64)
    messages[0] = 5.0
    traffic = CoreTraffic(cores, source, target, messages)
    return graph_problem(traffic, slots, np.zeros(cores, dtype=np.int64), hop_costs)


def least_of_all(problem):
    """The cheapest of all assignments of cores to routers that have the slots."""
    slots, cores = problem.slots, len(problem.group_of)
    room = np.bincount(slots.y * slots.width + slots.x)
    routers = np.array(list(product(range(len(room)), repeat=cores)))
    held = np.stack([(routers == router).sum(axis=1) for router in range(len(room))], axis=1)
    routers = routers[(held <= room).all(axis=1)]
    x, y = routers % slots.width, routers // slots.width
    rows = np.repeat(np.arange(cores), np.diff(problem.first))
    costs = problem.cost(x[:, rows] - x[:, problem.other], y[:, rows] - y[:, problem.other]) @ problem.weight
    return int(costs.min()) // 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("width", "height", "slots_of_a_router", "cores", "hop_costs"),
    [
        (3, 2, 1, 6, (1, 1)),
        (3, 2, 1, 5, (3, 4)),
        (2, 2, 2, 6, (1, 1)),
        (2, 2, 2, 6, (3, 1)),
        (4, 1, 2, 6, (1, 2)),
        (2, 3, 2, 6, (2, 3)),
        (3, 3, 1, 5, (1, 1)),
        (2, 1, 3, 6, (1, 1)),
        (1, 2, 4, 6, (3, 4)),
        (2, 1, 6, 5, (1, 1)),
        (1, 1, 6, 6, (1, 1)),
    ],
)
def test_optimum_is_that_of_all_placements(width, height, slots_of_a_router, cores, hop_costs, seed):
    problem = problem_on(width, height, slots_of_a_router, cores, hop_costs, seed)
    least = least_of_all(problem)
    dearest = cost_in_units(problem, np.arange(cores)) + int(problem.weight.sum())
    assert least_cost(problem, dearest) == least
    assert least_cost(problem, least) == least


def test_what_cannot_be_searched_is_refused():
    with pytest.raises(ValueError, match="cores"):
        least_cost(problem_on(5, 5, 1, MOST_CORES + 1, (1, 1), 0), 10**15)
    unlike = problem_on(3, 1, 2, 5, (1, 1), 0)
    unlike.slots.x[0] = 1
    with pytest.raises(ValueError, match="alike"):
        least_cost(unlike, 10**15)
