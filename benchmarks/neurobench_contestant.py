"""NeuroBench counts synaptic operations: ``python -m benchmarks.neurobench_contestant FOLDER``, in its environment.

``{"explicit_padding": bool}`` runs the network of the folder on its samples, padding being an operation of its own or
part of the convolutions; the reply has the counts of NeuroBench for all samples together. Spikes and potentials are
written to ran.npz there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
from neurobench.models import TorchModel
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.neurobench_network import IntegrateAndFire, read_network
from benchmarks.serve import serve


class SynapticOperationsOfAllWeights(SynapticOperations):  # type: ignore[misc]
    """The same metric with no weight of zero, so that it counts every synapse that a spike meets."""

    def __call__(self, model: Any, preds: Any, data: Any) -> Any:
        layers = [hook.layer for hook in model.connection_hooks]
        weights = [layer.weight.data for layer in layers]
        for layer in layers:
            layer.weight.data = torch.ones_like(layer.weight)
        found = super().__call__(model, preds, data)
        for layer, weight in zip(layers, weights, strict=True):
            layer.weight.data = weight
        return found


@torch.inference_mode()
def count(folder: Path, *, explicit_padding: bool) -> dict[str, int]:
    """Counts over all samples, which are one batch."""
    network, samples = read_network(folder, explicit_padding=explicit_padding)
    model = TorchModel(network)
    model.add_activation_module(IntegrateAndFire)
    batch = DataLoader(TensorDataset(samples, torch.zeros(len(samples))), batch_size=len(samples))
    metrics = [SynapticOperations, SynapticOperationsOfAllWeights, ActivationSparsity]
    found = Benchmark(model, batch, [], [], [[], metrics]).run(quiet=True)
    potentials = network.neurons[-1].potential.flatten(1)
    trains = {name: torch.stack(train, 1).flatten(2).to(torch.int8) for name, train in network.spike_trains.items()}
    np.savez(folder / "ran.npz", potentials=potentials, **{name: train.numpy() for name, train in trains.items()})

    def whole(metric: str, key: str) -> int:
        return round(found[metric][key] * len(samples))

    activations = sum(train.numel() for train in trains.values())
    return {
        "effective_acs": whole("SynapticOperations", "Effective_ACs"),
        "effective_macs": whole("SynapticOperations", "Effective_MACs"),
        "dense": whole("SynapticOperations", "Dense"),
        "acs_of_all_weights": whole("SynapticOperationsOfAllWeights", "Effective_ACs"),
        "spikes": round((1 - found["ActivationSparsity"]) * activations),
    }


if __name__ == "__main__":
    serve(lambda request: count(Path(sys.argv[1]), **request))
