"""Hop-weighted spikes of our placement against those that are published, at equal partitions, with measured spikes.

Each network is partitioned once for each target; all placers get the same cores and may use the same slots of the same
chips. Targets are Loihi, SpiNNaker, and one large mesh: Loihi's cores, one a router, on the smallest square that holds
them, with 5,120 input axons so that VGG's layers of 512 channels fit. Kernels are compiled in the first run, so seconds
are those of a second one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import torch

from benchmarks.networks import MNIST_CNN, RESNET20, VGG16, Case, compile_module, write_case
from benchmarks.published_placement import (
    force_directed,
    hilbert_placement,
    random_placement,
    sequential_placement,
)
from benchmarks.report import table
from hw_profiles import HardwareProfile, load_profile
from mapping.core_traffic import core_traffic
from mapping.hop_bounds import hop_cost_bound
from mapping.mesh_slots import compact_chips, may_change_chip
from mapping.network import ChipNetwork
from mapping.optimise_placement import optimise_placement, with_slots
from mapping.partition import partition
from mapping.place import place
from mapping.placement import Placement
from mapping.placement_options import Effort, PlacementOptions
from mapping.placement_problem import PlacementProblem, placement_problem
from mapping.route_metrics import route_metrics
from mapping.verify import verify
from mapping.violation import DoesNotFitError
from nmdeploy.energy.tile_spikes import tile_spikes
from nmdeploy.simulator import simulate

CALIBRATION_SAMPLES = 128
RANDOM_PLACEMENTS = 10
LARGE_MESH = "large mesh"
LARGE_MESH_AXONS = 5120


@dataclass(frozen=True)
class Result:
    """One placer on one network and target."""

    name: str
    mean_hops: float
    max_link_load: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """All placers on one network and target.

    Attributes
    ----------
    network, target : str
    cores, chips : int
    bound : float
        Hops of a message that no placement can have fewer of.
    results : tuple of Result
        Ours last.
    """

    network: str
    target: str
    cores: int
    chips: int
    bound: float
    results: tuple[Result, ...]


def large_mesh(side: int) -> HardwareProfile:
    """Loihi's cores, one a router, on one chip."""
    data = load_profile("loihi").model_dump()
    for name, value in {"routers_x": side, "routers_y": side, "cores_per_router": 1, "chips": 1}.items():
        data["mesh"][name]["value"] = value
    data["mesh"]["chip_columns"] = None
    data["core_limits"]["input_axons"]["value"] = LARGE_MESH_AXONS
    data["name"] = LARGE_MESH
    return HardwareProfile.model_validate(data)


def profile_of(target: str) -> HardwareProfile:
    """The profile to partition for."""
    return large_mesh(128) if target == LARGE_MESH else load_profile(target)


@dataclass(frozen=True)
class RealProblem:
    """A partitioned network with measured spikes, and what all placers get of it.

    Attributes
    ----------
    network : ChipNetwork
    placement : Placement
        As partitioned.
    profile : HardwareProfile
    spikes : float64 array, (tiles,)
    problem : PlacementProblem
    """

    network: ChipNetwork
    placement: Placement
    profile: HardwareProfile
    spikes: np.ndarray[tuple[int], np.dtype[np.float64]]
    problem: PlacementProblem


def real_problem(case: Case, target: str, data: Path | None, samples: int) -> RealProblem:
    """Partition a network and measure its spikes.

    Raises
    ------
    DoesNotFitError
        The target cannot hold the network.
    """
    profile = profile_of(target)
    with tempfile.TemporaryDirectory() as folder:
        module, images, calibration = write_case(case, data, Path(folder), samples, CALIBRATION_SAMPLES)
    with torch.no_grad():
        network = compile_module(module, calibration, case.timesteps, profile)
    core_graph = partition(network, profile)
    if target == LARGE_MESH:
        profile = large_mesh(ceil(sqrt(len(core_graph.cores))))
    placement = place(core_graph, profile)
    counts = simulate(network, images, timesteps=case.timesteps).spike_counts
    spikes = tile_spikes(network, placement, counts)
    traffic = core_traffic(network, [core.tiles for core in placement.cores], spikes)
    chips = compact_chips(placement.chip_count, profile) if may_change_chip(profile) else None
    problem = placement_problem(placement, traffic, profile, chips=chips)
    return RealProblem(network, placement, profile, spikes, problem)


def compare(name: str, real: RealProblem, effort: Effort) -> Comparison:
    """Place the cores of one partition by everyone, each placement proved legal and measured by `route_metrics`."""
    results = []
    for placer, (placed, seconds) in _placements(real.problem, real.placement, real.profile, effort):
        if verify(real.network, placed, real.profile):
            raise SystemExit(f"{placer}: not legal")
        metrics = route_metrics(real.network, placed, real.profile, real.spikes)
        results.append(Result(placer, metrics.mean_hops, metrics.max_link_load, seconds))
    messages = float(real.problem.traffic.messages.sum())
    return Comparison(
        name,
        real.profile.name,
        len(real.placement.cores),
        real.placement.chip_count,
        hop_cost_bound(real.problem) / messages,
        tuple(_mean_of_random(results)),
    )


def _placements(
    problem: PlacementProblem, placement: Placement, profile: HardwareProfile, effort: Effort
) -> Iterator[tuple[str, tuple[Placement, float]]]:
    """Every placer's placement and the seconds it took."""
    for seed in range(RANDOM_PLACEMENTS):
        yield "random", (with_slots(placement, problem, random_placement(problem, seed)), 0.0)
    yield "sequential", (with_slots(placement, problem, sequential_placement(problem)), 0.0)
    start = hilbert_placement(problem)
    yield "sequential + Hilbert", (with_slots(placement, problem, start), 0.0)
    begin = time.perf_counter()
    swapped = force_directed(problem, start)
    seconds = time.perf_counter() - begin
    yield "sequential + Hilbert + force-directed", (with_slots(placement, problem, swapped), seconds)
    begin = time.perf_counter()
    ours = optimise_placement(placement, problem.traffic, profile, PlacementOptions(effort=effort))
    yield "ours", (ours, time.perf_counter() - begin)


def _mean_of_random(results: list[Result]) -> list[Result]:
    """The random placements as one result."""
    drawn = [result for result in results if result.name == "random"]
    hops, loads = ([getattr(one, name) for one in drawn] for name in ("mean_hops", "max_link_load"))
    return [Result("random", float(np.mean(hops)), float(np.mean(loads)), 0.0), *results[len(drawn) :]]


def render(comparisons: list[Comparison]) -> str:
    """All comparisons as one table."""
    rows = []
    for one in comparisons:
        ours = one.results[-1]
        for result in one.results:
            rows.append(
                (
                    one.network,
                    one.target,
                    f"{one.cores} on {one.chips}",
                    result.name,
                    f"{result.mean_hops:.3f}",
                    f"{result.mean_hops / ours.mean_hops:.2f}",
                    f"{result.mean_hops / one.bound:.2f}" if one.bound else "",
                    f"{result.max_link_load / ours.max_link_load:.2f}",
                    f"{result.seconds:.1f}" if result.seconds else "",
                )
            )
    header = ("network", "target", "cores on chips", "placement", "hops a message", "/ ours", "/ bound")
    return table((*header, "busiest link / ours", "s"), rows)


def print_placements(data: Path, effort: Effort, samples: int, only: str | None) -> None:
    """Compare on every network and target, or on the networks whose name contains `only`."""
    comparisons = []
    for case in (MNIST_CNN, RESNET20, VGG16):
        for target in ("loihi", "spinnaker", LARGE_MESH):
            if only is None or only in case.name:
                try:
                    comparisons.append(compare(case.name, real_problem(case, target, data, samples), effort))
                except DoesNotFitError as refusal:
                    print(f"{case.name} on {target}: refused. {refusal.violations[0]}\n")
    print(render(comparisons))
