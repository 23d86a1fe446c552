"""One population over a round of steps on a GPU, or on any other device of torch, with the same integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.simulator.engine import Advanced, Engine, Part, Result, SpikeTrain
from nmdeploy.simulator.fast_neurons import largest_arriving, largest_magnitude
from nmdeploy.simulator.full_precision import full_precision
from nmdeploy.simulator.history import History
from nmdeploy.simulator.neurons import neurons_last
from nmdeploy.simulator.products import FLOAT32_EXACT, FLOAT64_EXACT
from nmdeploy.simulator.span import Span
from nmdeploy.simulator.tensor_neurons import TensorNeurons
from nmdeploy.simulator.tensor_pools import brought, largest_in_windows
from nmdeploy.simulator.tensor_products import TensorProduct, gathered_values


class TensorEngine(Engine):
    """As `Engine`, for every neuron model; each population in float32 or float64, as its weights demand.

    Parameters
    ----------
    network : ChipNetwork
    device : torch.device
    """

    # Enough for a GPU to be busy with one population at a time.
    preferred_bytes = 2**30

    def __init__(self, network: ChipNetwork, device: torch.device) -> None:
        super().__init__(network)
        self._device = device
        self._tensor_products: dict[tuple[str, torch.dtype], TensorProduct] = {}
        self._largest_arriving = {
            population.name: largest_arriving(network, population) for population in network.populations
        }

    @property
    def free_memory_bytes(self) -> int:
        """Memory that can be had for what the engine works with."""
        if self._device.type == "cuda":
            return int(torch.cuda.mem_get_info(self._device)[0])
        return super().free_memory_bytes

    def working_bytes(self, population: Population) -> int:
        """Memory that advancing the population takes for one sample and step, its own spikes included."""
        projections = self.network.incoming(population.name)
        gathered = max((gathered_values(projection.connectivity) for projection in projections), default=0)
        return (gathered + 3 * population.neuron_count) * np.dtype(np.float64).itemsize + population.neuron_count

    def run_all(
        self, work: Callable[[Engine, Part], Result], parts: Sequence[Part], operations: int | None = None
    ) -> Iterator[Result]:
        """As `Engine.run_all`."""
        with full_precision():
            yield from super().run_all(work, parts, operations)

    def history(self, population: Population, batch: int) -> History:
        """An empty history of a population's spikes."""
        channels, rows, columns = population.shape
        return _TensorHistory((rows, columns, channels), batch, self._device)

    def as_array(self, spikes: Any) -> SpikeTrain:
        """Spikes of the engine's own kind of array as a NumPy array."""
        train: SpikeTrain = spikes.cpu().numpy()
        return train

    def advance(self, population: Population, trains: Mapping[str, Any], span: Span) -> Advanced:
        """Compute the next steps of one population; see `Engine.advance`."""
        batch, nothing = len(self._samples), np.zeros((len(self._samples), span.steps, 0), dtype=np.int64)
        if population.pool_counts is not None:
            spikes = self._pool_on_device(population, trains, span)
            return Advanced(spikes, _counts(spikes), nothing, 0)
        constant = self.constant(population)
        dtype = self._dtype(population, constant, span)
        arriving = self._arriving(population, trains, (span.input_steps, batch), dtype)
        arriving += torch.tensor(constant, dtype=dtype, device=self._device)
        arriving *= torch.tensor(1 << span.input_shifts[:, None, None, None, None], dtype=dtype, device=self._device)
        if population.count_memory is not None:
            arriving = arriving.to(torch.int64)
        potential = self._tensor(self.potential(population), arriving.dtype)
        sent = self.sent(population)
        neurons = TensorNeurons(
            population, potential, None if sent is None else self._tensor(sent, torch.int64), self.network.state_max
        )
        train, trace = [], []
        for step in range(span.start, span.stop):
            for index in span.taken_in(step):
                neurons.integrate(arriving[index])
            train.append(neurons.fire(step, span.timesteps, span.refinement_steps))
            if population.is_output:
                trace.append(neurons.potential)
        self._potentials[population.name] = neurons.potential
        if neurons.sent is not None:
            self._sent[population.name] = neurons.sent
        spikes, potentials = torch.stack(train), nothing
        if trace:
            traced = torch.stack(trace).cpu().numpy().astype(np.int64)
            potentials = np.stack([neurons_last(one) for one in traced], axis=1)
        return Advanced(spikes, _counts(spikes), potentials, int(neurons.saturations))

    def _pool_on_device(self, population: Population, trains: Mapping[str, Any], span: Span) -> Tensor:
        shifts = torch.tensor(span.input_shifts[:, None, None, None, None], dtype=torch.int32, device=self._device)
        parts: list[tuple[int, Tensor]] = []
        for projection in self.network.incoming(population.name):
            table = projection.connectivity
            train = trains[projection.name]
            if projection.name not in self._brought:
                shape = (*train.shape[1:4], table.in_channels)
                self._brought[projection.name] = torch.zeros(shape, dtype=torch.int32, device=self._device)
            counts = brought(self._brought[projection.name], train, table, shifts)
            self._brought[projection.name] = counts[-1]
            parts.append((table.target_channels[0], largest_in_windows(counts, table)))
        largest = torch.cat([part for _, part in sorted(parts, key=itemgetter(0))], dim=-1)
        return ((largest[1:] - largest[:-1]) >> shifts).to(torch.int8)

    def _dtype(self, population: Population, constant: NDArray[np.int64], span: Span) -> torch.dtype:
        """The narrowest type that holds every potential of a step before it saturates, whatever spikes arrive.

        Raises
        ------
        OverflowError
            Even float64 could round.
        """
        largest = self._largest_arriving[population.name] + largest_magnitude(constant) << span.refinement_steps
        largest += max(self.network.state_max, int(np.abs(population.initial_potential).max()))
        if largest < FLOAT32_EXACT:
            return torch.float32
        if largest < FLOAT64_EXACT:
            return torch.float64
        raise OverflowError(f"{population.name}: a potential may reach {largest}, beyond the 2^53 that are exact")

    def _tensor(self, values: Any, dtype: torch.dtype) -> Tensor:
        """Carried state, which is an array before the first step."""
        if isinstance(values, Tensor):
            return values.to(dtype)
        return torch.tensor(values, dtype=dtype, device=self._device)

    def _arriving(
        self, population: Population, trains: Mapping[str, Any], extent: tuple[int, int], dtype: torch.dtype
    ) -> Tensor:
        """Synaptic input in membrane units, (steps, batch, rows, columns, channels)."""
        (steps, batch), (channels, rows, columns) = extent, population.shape
        total = torch.zeros((steps, batch, rows, columns, channels), dtype=dtype, device=self._device)
        # steps beyond the input take in nothing
        for projection in self.network.incoming(population.name) if steps else ():
            train = trains[projection.name]
            sums = self._tensor_product(projection, dtype)(train.reshape(steps * batch, *train.shape[2:]))
            start, stop = projection.connectivity.target_channels
            total[..., start:stop] += sums.reshape(steps, batch, *sums.shape[1:])
        return total

    def _tensor_product(self, projection: Projection, dtype: torch.dtype) -> TensorProduct:
        key = projection.name, dtype
        if key not in self._tensor_products:
            delivered = projection.weights.astype(np.int64) << self.network.shift(projection)
            self._tensor_products[key] = TensorProduct(projection.connectivity, delivered, dtype, self._device)
        return self._tensor_products[key]


def _counts(spikes: Tensor) -> NDArray[np.int32]:
    """Spikes of both signs of all steps, (batch, neurons)."""
    return neurons_last(spikes.abs().sum(dim=0, dtype=torch.int32).cpu().numpy())


def gpu_engine(network: ChipNetwork) -> TensorEngine | None:
    """The engine on the GPU that torch has, if it has one."""
    return TensorEngine(network, torch.device("cuda")) if torch.cuda.is_available() else None


class _TensorHistory(History):
    def __init__(self, shape: tuple[int, int, int], batch: int, device: torch.device) -> None:
        super().__init__(shape, batch)
        self._device = device

    def silence(self, steps: int) -> Tensor:
        return torch.zeros((steps, self._batch, *self._shape), dtype=torch.int8, device=self._device)

    def concatenate(self, trains: Sequence[Any]) -> Tensor:
        return torch.cat(list(trains))
