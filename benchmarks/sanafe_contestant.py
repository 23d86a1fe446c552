"""SANA-FE runs a mapped network: ``python -m benchmarks.sanafe_contestant FOLDER``, in its environment.

``{"zero_weights": bool, "update_idle": bool}`` runs network.npz of the folder on SANA-FE's own description of Loihi,
with or without the synapses of weight zero, and with or without an update of neurons that have neither potential nor
input nor bias while their window lasts. The reply has SANA-FE's counts and energies over the whole run, and its
constants. What each core did, and each spike, is written to ran.npz there.

Samples follow each other every `timesteps` steps. Where the window of a population begins, its neurons get their
initial potential and the input current of the sample; before the first window and after the last one they have none.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import sanafe
import yaml

from benchmarks.serve import serve

NEVER = 1e18
"""A threshold that no potential reaches."""
SOMA, SYNAPSE, DENDRITE = "loihi_lif", "loihi_dense_synapse", "loihi_dendrites"
PICO = 1e-12


def constants_pj() -> dict[str, float]:
    """Energies of the events, from the description of Loihi that SANA-FE brings."""
    text = resources.files("sanafe.examples").joinpath("loihi.yaml").read_text()
    tile = yaml.safe_load(text)["architecture"]["tile"][0]
    core = tile["core"][0]
    soma = _named(core["soma"], SOMA)
    synapse = _named(core["synapse"], SYNAPSE)
    joules = {
        "synapse": synapse["energy_process_spike"],
        "neuron_access": soma["energy_access_neuron"],
        "neuron_update": soma["energy_update_neuron"],
        "spike": soma["energy_spike_out"],
        "message": core["axon_out"][0]["attributes"]["energy_message_out"],
        "hop_x": tile["attributes"]["energy_east_hop"],
        "hop_y": tile["attributes"]["energy_north_hop"],
    }
    return {name: float(energy) / PICO for name, energy in joules.items()}


def _named(units: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(unit["attributes"] for unit in units if unit["name"] == name)
    return found


def build(arrays: dict[str, Any], *, zero_weights: bool) -> Any:
    """The chip with the network on it."""
    architecture = sanafe.load_loihi()
    cores = architecture.cores()
    network = sanafe.Network()
    groups = {}
    attributes = {"threshold": NEVER, "reset_mode": "soft"}
    for name in arrays["populations"].tolist():
        core_of_neuron = arrays[f"{name}/core"].tolist()
        group = network.create_neuron_group(
            name, len(core_of_neuron), attributes, SYNAPSE, DENDRITE, log_spikes=True, soma_hw_name=SOMA
        )
        for neuron, core in enumerate(core_of_neuron):
            group.neurons[neuron].map_to_core(cores[core])
        groups[name] = group
    for projection in arrays["projections"].tolist():
        source, target = (groups[end] for end in arrays[f"{projection}/ends"].tolist())
        pairs, weights = arrays[f"{projection}/pairs"], arrays[f"{projection}/weights"]
        if not zero_weights:
            pairs, weights = pairs[weights != 0], weights[weights != 0]
        source.connect_neurons_sparse(target, {"weight": weights.astype(float).tolist()}, pairs.tolist())
    chip = sanafe.SpikingChip(architecture)
    chip.load(network)
    return chip


def begin_window(chip: Any, arrays: dict[str, Any], name: str, sample: int, *, update_idle: bool) -> None:
    """Give the neurons of a population what they begin a sample with; beyond the last one, stop them."""
    currents = arrays[f"{name}/current"]
    threshold, potential = arrays[f"{name}/threshold"], arrays[f"{name}/initial_potential"]
    for neuron, mapped in enumerate(chip.mapped_neuron_groups[name]):
        if sample < len(currents):
            attributes = {
                "bias": float(currents[sample, neuron]),
                "threshold": float(threshold[neuron]),
                "potential": float(potential[neuron]),
                "force_update": update_idle,
            }
        else:
            attributes = {"bias": 0.0, "threshold": NEVER, "potential": 0.0, "force_update": False}
        mapped.set_attributes(attributes)


class Record:
    """What SANA-FE reports, added up over pieces of a run."""

    def __init__(self, sizes: dict[str, int], steps: int, cores: int) -> None:
        self.totals: Counter[str] = Counter()
        self.trains = {name: np.zeros((steps, size), dtype=np.int8) for name, size in sizes.items()}
        self.messages = np.zeros((cores, cores), dtype=np.int64)
        self.operations = np.zeros(cores, dtype=np.int64)

    def add(self, begin: int, found: dict[str, Any]) -> None:
        """Add a piece that begins at this step."""
        for name in ("spikes", "packets_sent", "neurons_updated", "neurons_fired"):
            self.totals[name] += found[name]
        self.totals["hops"] += sum(found["perf_trace"]["hops"])
        for part, energy in found["energy"].items():
            self.totals[f"{part}_pj"] += energy / PICO
        for step, spikes in enumerate(found["spike_trace"], begin):
            for one in spikes:
                self.trains[one.group_name][step, one.neuron_offset] += 1
        for message in (one for of_step in found["message_trace"] for one in of_step if not one["placeholder"]):
            self.messages[message["src_core_id"], message["dest_core_id"]] += 1
            self.operations[message["dest_core_id"]] += message["spikes"]


def run(folder: Path, *, zero_weights: bool, update_idle: bool) -> dict[str, Any]:
    """Run all samples, and on until the last population has had its last window."""
    with np.load(folder / "network.npz") as file:
        arrays = dict(file)
    chip = build(arrays, zero_weights=zero_weights)
    timesteps, samples = int(arrays["timesteps"]), int(arrays["samples"])
    starts = {name: int(arrays[f"{name}/start_step"]) for name in arrays["populations"].tolist()}
    end = samples * timesteps + max(starts.values())
    windows = [
        (start + sample * timesteps, name, sample) for name, start in starts.items() for sample in range(samples + 1)
    ]
    sizes = {name: len(arrays[f"{name}/core"]) for name in starts}
    record = Record(sizes, end, len(sanafe.load_loihi().cores()))
    pieces = sorted({begin for begin, _, _ in windows if begin < end})
    for begin, stop in zip(pieces, [*pieces[1:], end], strict=True):
        for name, sample in ((name, sample) for at, name, sample in windows if at == begin):
            begin_window(chip, arrays, name, sample, update_idle=update_idle)
        found = chip.sim(stop - begin, timing_model="simple", spike_trace=True, perf_trace=True, message_trace=True)
        record.add(begin, found)
    np.savez(folder / "ran.npz", messages=record.messages, operations=record.operations, **record.trains)
    return {"steps": end, "constants_pj": constants_pj(), **record.totals}


if __name__ == "__main__":
    serve(lambda request: run(Path(sys.argv[1]), **request))
