"""Accuracy after conversion beside SpikingJelly and sinabs: same float networks, calibration samples, images and T.

python -m benchmarks.peers DATA_FOLDER [--networks resnet20,resnet8,mnist] [--limit N] [--windows 8,16,32,64]

DATA_FOLDER holds mnist/ and cifar10/. Peers run in virtual environments of their own, which are made at the first run.
They compute in float, pass spikes through all layers within one step, and get the network in a form that they take:
rectifiers as modules, padding as concatenations. Ours are the integer networks of `nmdeploy compile --method auto`
(the latency in steps is in brackets); a peer's row "delayed" leaves out the outputs of the steps before the one that
its own estimate recommends.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.contestant import Contestant, ContestantError
from benchmarks.conversion import NETWORKS, Network
from benchmarks.conversion import measure as measure_ours
from benchmarks.float_module import load_module
from benchmarks.networks import MNIST_CNN, RESNET8, RESNET20, Case, write_case
from benchmarks.peer_environment import SINABS, SPIKINGJELLY, NoEnvironmentError, peer_python
from benchmarks.peers_recipes import SINABS_RECIPES, SPIKINGJELLY_RECIPES

CASES = {"resnet20": RESNET20, "resnet8": RESNET8, "mnist": MNIST_CNN}
CALIBRATION_SAMPLES = 512
"""As many as `nmdeploy compile` takes."""
IMAGES_AT_ONCE = 50
ROOT = Path(__file__).resolve().parents[1]
Decisions = dict[int, NDArray[np.int64]]


@dataclass(frozen=True)
class Peer:
    """Where a peer runs and what it is asked for.

    Attributes
    ----------
    folder : str
        Of its environment.
    requirements, recipes : tuple of str
    module : str
        Of its process.
    """

    folder: str
    requirements: tuple[str, ...]
    recipes: tuple[str, ...]
    module: str


PEERS = {
    "spikingjelly": Peer(".venv-spikingjelly", SPIKINGJELLY, SPIKINGJELLY_RECIPES, "benchmarks.peers_spikingjelly"),
    "sinabs": Peer(".venv-sinabs", SINABS, SINABS_RECIPES, "benchmarks.peers_sinabs"),
}


@dataclass(frozen=True)
class Row:
    """One converter on one network; shares of 0 to 1 by T, empty where it could not convert.

    Attributes
    ----------
    network, converter, version : str
    samples : int
    float_accuracy : float
    accuracy, agreement : dict of T to float
    latency : dict of T to int
        Steps to the decision; that of peers is T.
    spikes_per_neuron : dict of T to float
        Per image; of peers at the largest T alone.
    note : str
        What is remarkable, or the error.
    """

    network: str
    converter: str
    version: str
    samples: int
    float_accuracy: float
    accuracy: dict[int, float]
    agreement: dict[int, float]
    latency: dict[int, int]
    spikes_per_neuron: dict[int, float]
    note: str


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--networks", default=",".join(CASES), help="separated by commas")
    parser.add_argument("--limit", type=int, default=2000, help="test images")
    parser.add_argument("--windows", default="8,16,32,64", help="T, separated by commas")
    parser.add_argument("--targets", default="loihi2,loihi", help="of ours: names or .toml files, or nothing")
    parser.add_argument("--peers", default=",".join(PEERS), help="separated by commas, or nothing")
    parser.add_argument("--threads", type=int, default=2, help="of the peers")
    parser.add_argument("--json", type=Path, help="write all rows here")
    options = parser.parse_args()
    windows = [int(steps) for steps in options.windows.split(",")]
    columns = [f"T={steps}" for steps in windows]
    print("| network | converter | float % | " + " | ".join(columns) + " | spikes/neuron | note |")
    print("|---|---|---|" + "---|" * len(columns) + "---|---|")
    rows = []
    for row in _rows(options, windows):
        rows.append(row)
        print(_line(row, windows), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def _rows(options: argparse.Namespace, windows: list[int]) -> Iterator[Row]:
    for name in options.networks.split(","):
        with tempfile.TemporaryDirectory() as folder:
            case = CASES[name]
            write_case(case, options.data, Path(folder), options.limit, CALIBRATION_SAMPLES)
            for peer in filter(None, options.peers.split(",")):
                yield from peer_rows(case.name, Path(folder), PEERS[peer], windows, options.threads, ROOT)
        network = next(one for one in NETWORKS if one.name.startswith(case.name))
        for target in filter(None, options.targets.split(",")):
            yield our_row(options.data, case, network, target, windows, options.limit)


def peer_rows(
    network: str, folder: Path, peer: Peer, windows: list[int], threads: int, environments: Path
) -> Iterator[Row]:
    """All recipes of a peer on a written case; `environments` holds the folder of its virtual environment."""
    with np.load(folder / "samples.npz") as file:
        images, labels = torch.from_numpy(file["samples"]), file["labels"]
    with torch.inference_mode():
        expected = load_module(folder)(images).flatten(1).argmax(1).numpy()
    version = peer.requirements[0]
    float_accuracy = float((expected == labels).mean())

    def row(converter: str, decisions: Decisions, spikes: dict[int, float], note: str) -> Row:
        accuracy = {steps: float((found == labels).mean()) for steps, found in decisions.items()}
        agreement = {steps: float((found == expected).mean()) for steps, found in decisions.items()}
        latency = {steps: steps for steps in decisions}
        return Row(
            network, converter, version, len(labels), float_accuracy, accuracy, agreement, latency, spikes, note
        )

    try:
        python = peer_python(environments / peer.folder, peer.requirements)
    except NoEnvironmentError as missing:
        yield row(version, {}, {}, f"no environment: {missing}")
        return
    for recipe in peer.recipes:
        try:
            with Contestant(python, threads, peer.module, str(folder)) as contestant:
                readouts, spikes, note = _ask(contestant, recipe, len(labels), windows)
        except ContestantError as failure:
            readouts, spikes, note = {recipe: {}}, {}, f"failed: {str(failure).splitlines()[-1]}"
        for converter, decisions in readouts.items():
            yield row(converter, decisions, spikes, note)


def _ask(
    contestant: Contestant, recipe: str, samples: int, windows: list[int]
) -> tuple[dict[str, Decisions], dict[int, float], str]:
    """Decisions of each way to read the outputs, spikes per neuron, and a note."""
    converted = contestant.ask(recipe=recipe)
    if "error" in converted:
        return {recipe: {}}, {}, f"cannot convert: {converted['error']}"
    replies: list[dict[str, Any]] = [
        contestant.ask(first=first, count=IMAGES_AT_ONCE, windows=windows)
        for first in range(0, samples, IMAGES_AT_ONCE)
    ]
    readouts = {
        recipe if readout == "all" else f"{recipe}, {readout}": {
            steps: np.concatenate([reply["decisions"][readout][str(steps)] for reply in replies]) for steps in windows
        }
        for readout in replies[0]["decisions"]
    }
    spikes = sum(reply["spikes"] for reply in replies) / samples / replies[0]["neurons"]
    left = converted["activations"] - converted["spiking"]
    note = f"{left} of {converted['activations']} activations left as they were" if left else ""
    return readouts, {max(windows): spikes}, note


def our_row(data: Path, case: Case, network: Network, target: str, windows: list[int], limit: int) -> Row:
    """Ours, compiled and run once for every T."""
    measured = {}
    for steps in windows:
        one = measure_ours(data, network, target, steps, "auto", (), limit=limit, show=False)
        print(f"{case.name}, {target}, T={steps}: {one.accuracy:.1%}, {one.recipe}", file=sys.stderr, flush=True)
        measured[steps] = one
    last = measured[max(windows)]
    return Row(
        network=case.name,
        converter=f"nmdeploy, auto on {Path(target).stem}",
        version="nmdeploy",
        samples=last.samples,
        float_accuracy=last.float_accuracy,
        accuracy={steps: one.accuracy for steps, one in measured.items()},
        agreement={steps: one.agreement for steps, one in measured.items()},
        latency={steps: one.latency_steps for steps, one in measured.items()},
        spikes_per_neuron={steps: one.spikes_per_neuron for steps, one in measured.items()},
        note=last.recipe,
    )


def _line(row: Row, windows: list[int]) -> str:
    cells = [row.network, row.converter, f"{row.float_accuracy:.1%}"]
    for steps in windows:
        if steps not in row.accuracy:
            cells.append("-")
            continue
        latency = row.latency[steps]
        cells.append(f"{row.accuracy[steps]:.1%}" + (f" ({latency})" if latency != steps else ""))
    spikes = row.spikes_per_neuron.get(max(windows))
    cells += ["-" if spikes is None else f"{spikes:.2f}", row.note]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
