"""The network of `benchmarks.neurobench_layers` as a torch module with the recurrence of `mapping.network`.

Needs torch and NumPy only. All tensors are float64, in which the integers are exact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional


class IntegrateAndFire(nn.Module):
    """Neurons with reset by subtraction, or accumulators; called once a step with the sum of their input."""

    def __init__(self, current: Tensor, threshold: Tensor, initial_potential: Tensor, fires: bool) -> None:
        super().__init__()
        self.current, self.threshold, self.initial_potential = current, threshold, initial_potential
        self.fires = fires
        self.potential = initial_potential

    def restart(self) -> None:
        """Begin the window of a batch."""
        self.potential = self.initial_potential

    def forward(self, sums: Tensor) -> Tensor:
        potential = self.potential + sums + self.current
        spikes = (potential >= self.threshold).double() if self.fires else torch.zeros_like(potential)
        self.potential = potential - spikes * self.threshold
        return spikes


class Synapses(nn.Module):
    """A convolution from some channels of the source to some channels of the target.

    With `explicit_padding` the zeros around the source are an operation before a convolution without padding.
    """

    def __init__(
        self, given: Mapping[str, Any], weights: NDArray[np.int64], target_shape: list[int], explicit_padding: bool
    ) -> None:
        super().__init__()
        self.source: str | None = given["source"]
        rows, columns = given["padding"]
        self.zeros = (columns, columns, rows, rows) if explicit_padding else (0, 0, 0, 0)
        self.read = slice(*given["source_channels"])
        self.written = slice(*given["target_channels"])
        self.target_shape = target_shape
        outputs, per_group, row_taps, column_taps = weights.shape
        self.convolution = nn.Conv2d(
            per_group * given["groups"],
            outputs,
            (row_taps, column_taps),
            stride=given["stride"],
            padding=0 if explicit_padding else (rows, columns),
            dilation=given["dilation"],
            groups=given["groups"],
            bias=False,
            dtype=torch.float64,
        )
        self.convolution.weight.data = torch.from_numpy(weights).double()

    def forward(self, source: Tensor) -> Tensor:
        sums = source.new_zeros((len(source), *self.target_shape))
        sums[:, self.written] = self.convolution(functional.pad(source[:, self.read], self.zeros))
        return sums


class SpikingNetwork(nn.Module):
    """All steps of a window; returns the potentials of the last population.

    Attributes
    ----------
    spike_trains : dict of population name to list of tensors, (samples, channels, rows, columns)
        Of the last call, one a step.
    """

    def __init__(
        self, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], explicit_padding: bool
    ) -> None:
        super().__init__()
        self.timesteps: int = description["timesteps"]
        self.names = [population["name"] for population in description["populations"]]
        self.synapses = nn.ModuleList()
        self.neurons = nn.ModuleList()
        self.spike_trains: dict[str, list[Tensor]] = {}
        for population in description["populations"]:
            name = population["name"]
            threshold, initial_potential = (
                torch.from_numpy(arrays[f"{name}/{what}"]).double().view(1, -1, 1, 1)
                for what in ("threshold", "initial_potential")
            )
            current = torch.from_numpy(arrays[f"{name}/current"]).double()
            self.neurons.append(IntegrateAndFire(current, threshold, initial_potential, population["fires"]))
            incoming = [
                Synapses(one, arrays[one["name"]], population["shape"], explicit_padding)
                for one in population["synapses"]
            ]
            self.synapses.append(nn.ModuleList(incoming))

    def forward(self, samples: Tensor) -> Tensor:
        self.spike_trains = {name: [] for name in self.names}
        for neurons in self.neurons:
            neurons.restart()
        for _ in range(self.timesteps):
            for name, incoming, neurons in zip(self.names, self.synapses, self.neurons, strict=True):
                sums = torch.zeros_like(neurons.current)
                for synapses in incoming:
                    if synapses.source is None:
                        synapses(samples)  # its sum, rounded as the chip's bias field is, is in the current already
                    else:
                        sums = sums + synapses(self.spike_trains[synapses.source][-1])
                self.spike_trains[name].append(neurons(sums))
        potential: Tensor = self.neurons[-1].potential
        return potential.flatten(1)


def read_network(folder: Path, *, explicit_padding: bool = False) -> tuple[SpikingNetwork, Tensor]:
    """The network and the samples that `benchmarks.neurobench_layers.write_layers` wrote."""
    with np.load(folder / "arrays.npz") as arrays:
        network = SpikingNetwork(json.loads((folder / "layers.json").read_text()), arrays, explicit_padding)
    return network, torch.from_numpy(np.load(folder / "samples.npy")).double()
