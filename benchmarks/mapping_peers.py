"""Cores that nengo-loihi's splitter takes for our networks, beside ours, on Loihi.

python -m benchmarks.mapping_peers DATA_FOLDER [--only NAME]

DATA_FOLDER holds mnist/ and cifar10/. nengo-loihi runs in a virtual environment of its own, which is made at the first
run. It gets the populations and projections of our compiled network with random weights, splits it by itself, then with
the sizes of our tiles as its block shapes, and with these halved until it refuses none. A block of it is a core. Cores
are judged by its own validator, and by our limits of compartments and of input axons. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.mapping_placement import CALIBRATION_SAMPLES
from benchmarks.networks import MNIST_CNN, RESNET20, compile_module, write_case
from benchmarks.peer_environment import NENGO_LOIHI, peer_python
from benchmarks.report import table
from hw_profiles import HardwareProfile, load_profile
from mapping.network import ChipNetwork
from mapping.neuron_costs import NeuronCosts
from mapping.partition import partition
from mapping.tiles import Tile

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ".venv-nengo-loihi"
TARGET = "loihi"
REFUSED = re.compile(r": ([A-Z][a-z ]+) \(\d+\) exceeded max")


def described(network: ChipNetwork, tiles: Mapping[str, Tile]) -> dict[str, Any]:
    """The network as the splitter reads it.

    Parameters
    ----------
    network : ChipNetwork
    tiles : mapping of population name to Tile
        The first of each: no other is larger.
    """
    projections = []
    for projection in network.projections:
        connectivity = projection.connectivity
        projections.append(
            {
                "source": projection.source,
                "target": projection.target,
                "source_shape": connectivity.source_shape,
                "target_shape": connectivity.target_shape,
                "rows": connectivity.rows.tolist(),
                "columns": connectivity.columns.tolist(),
                "source_channels": connectivity.source_channels,
                "target_channels": connectivity.target_channels,
                "groups": connectivity.groups,
            }
        )
    populations = [
        {"name": population.name, "shape": population.shape, "tile": tiles[population.name].shape}
        for population in network.populations
    ]
    return {"populations": populations, "projections": projections}


def split_by_nengo_loihi(case: Mapping[str, Any], environments: Path) -> dict[str, Any]:
    """What `benchmarks.nengo_loihi_splitter` prints.

    Raises
    ------
    NoEnvironmentError
        It cannot be installed.
    """
    python = peer_python(environments / FOLDER, NENGO_LOIHI)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.json"
        file.write_text(json.dumps(case))
        command = [python, "-m", "benchmarks.nengo_loihi_splitter", str(file)]
        ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def beyond_our_limits(blocks: Sequence[Mapping[str, Any]], network: ChipNetwork, profile: HardwareProfile) -> int:
    """How many cores have more compartments, or read more source neurons, than our rules allow."""
    limits = profile.core_limits
    count = 0
    for block in blocks:
        costs = NeuronCosts.of(network.population(block["population"]), [], profile)
        axons = block["source_neurons"] + costs.reset_synapses * block["neurons"]
        compartments = costs.compartments * block["neurons"]
        count += any(
            limit is not None and needed > limit.value
            for needed, limit in ((compartments, limits.compartments), (axons, limits.input_axons))
        )
    return count


def refusals(blocks: Sequence[Mapping[str, Any]]) -> str:
    """How many cores the splitter's own validator refuses, by the limit that it names."""
    kinds = Counter(
        found[1] if (found := REFUSED.search(block["refusal"])) else block["refusal"]
        for block in blocks
        if block["refusal"]
    )
    return ", ".join(f"{count:,} ({kind.lower()})" for kind, count in sorted(kinds.items())) or "0"


def cells(found: Mapping[str, Any], network: ChipNetwork, profile: HardwareProfile) -> tuple[str, str, str]:
    """Cores, and those beyond its limits and beyond ours."""
    if "error" in found:
        return "-", str(found["error"]), "-"
    blocks = found["blocks"]
    return f"{len(blocks):,}", refusals(blocks), f"{beyond_our_limits(blocks, network, profile):,}"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="", help="networks whose name contains this")
    options = parser.parse_args()
    profile = load_profile(TARGET)
    rows = []
    for case in (MNIST_CNN, RESNET20):
        if options.only not in case.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            module, _, calibration = write_case(case, options.data, Path(folder), 1, CALIBRATION_SAMPLES)
        with torch.no_grad():
            network = compile_module(module, calibration, case.timesteps, profile)
        cores = partition(network, profile).cores
        tiles = {tile.population: tile for core in reversed(cores) for tile in reversed(core.tiles)}
        rows.append((case.name, "ours", f"{len(cores):,}", "-", "0"))
        for way, found in split_by_nengo_loihi(described(network, tiles), ROOT).items():
            rows.append((case.name, f"nengo-loihi, {way}", *cells(found, network, profile)))
    print(table(("network", "split by", "cores", "beyond its own limits", "beyond our limits"), rows))


if __name__ == "__main__":
    main()
