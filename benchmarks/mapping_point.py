"""Partition, place and verify one network once: python -m benchmarks.mapping_point NETWORK TARGET; prints JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from benchmarks.mapping_networks import NETWORKS, convolution_stack
from hw_profiles import HardwareProfile, load_profile
from mapping.bounds import core_bounds
from mapping.core_traffic import core_traffic
from mapping.network import ChipNetwork
from mapping.optimise_placement import optimise_placement
from mapping.partition import partition
from mapping.place import place
from mapping.placement_options import PlacementOptions
from mapping.route_metrics import route_metrics
from mapping.verify import verify
from mapping.violation import DoesNotFitError

T = TypeVar("T")


def build(name: str, profile: HardwareProfile) -> ChipNetwork:
    """One of `NETWORKS`, or for a number the stack of convolutions on maps of that size."""
    return convolution_stack(profile, int(name)) if name.isdigit() else NETWORKS[name](profile)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result, and processor seconds."""
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def measure(network: ChipNetwork, profile: HardwareProfile) -> dict[str, Any]:
    """Size of the placement and processor seconds, or why there is none; hops are those of one spike a neuron."""
    neurons = sum(population.neuron_count for population in network.populations)
    begin = time.process_time()
    try:
        graph, partition_seconds = timed(lambda: partition(network, profile))
    except DoesNotFitError as refusal:
        return {
            "neurons": neurons,
            "refused": [str(violation) for violation in refusal.violations],
            "partition_seconds": time.process_time() - begin,
        }
    start = place(graph, profile)
    traffic = core_traffic(network, [core.tiles for core in start.cores])
    placement, place_seconds = timed(lambda: optimise_placement(start, traffic, profile, PlacementOptions()))
    violations, verify_seconds = timed(lambda: verify(network, placement, profile))
    bounds = core_bounds(network, profile)
    return {
        "neurons": neurons,
        "cores": len(placement.cores),
        "packed_cores": sum(len(core.tiles) > 1 for core in placement.cores),
        "bound": bounds.of_any_mapping,
        "bound_regular_tilings": bounds.of_regular_tilings,
        "chips": placement.chip_count,
        "violations": len(violations),
        "partition_seconds": partition_seconds,
        "place_seconds": place_seconds,
        "hops_as_partitioned": route_metrics(network, start, profile).mean_hops,
        "hops": route_metrics(network, placement, profile).mean_hops,
        "verify_seconds": verify_seconds,
    }


def main() -> None:
    name, target = sys.argv[1:]
    profile = load_profile(target)
    found = measure(build(name, profile), profile)
    print(json.dumps({**found, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
