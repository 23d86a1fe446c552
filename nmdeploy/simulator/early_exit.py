"""When the decision of a sample is proved: no spikes that may still arrive can change it.

The decision is the largest decoded output, ``scale * v / T`` (`nmdeploy.decode`), ties going to the first. Of an output
its potential v is known, of the spikes to come only that each source neuron sends at most one a step. In one step the
lead of the winner w over a rival r therefore changes by at least ::

    scale_w * constant_w - scale_r * constant_r + min over s of sum((scale_w * weights_w - scale_r * weights_r) * s)

with spikes s in {0, 1}, or {-1, 0, 1} from signed sources; one spike arrives at both. A lead that stays positive when
every remaining step takes that much is a proof, provided that no potential can saturate on the way.

All arithmetic is in integers. Scales are rounded down to whole multiples n of a unit q, ``n * q <= scale < n * q + q``.
That moves the lead by at most ``(|v_w| + |v_r|) * q <= 2 * state_max * q``. Decoding in float64 rounds twice, by at
most ``3 * 2**-53 * (scale_w * |v_w| + scale_r * |v_r|)``, which is less than ``state_max * q`` as no n is above 2^30.
So a lead of more than ``3 * state_max`` in units of q is a lead of the decoded outputs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population, Projection
from nmdeploy.decode import decode
from nmdeploy.errors import NmdeployError

IntArray = NDArray[np.int64]

SCALE_BITS = 30
# Potentials up to here are decoded exactly.
STATE_BITS = 53
# n * state_max stays below 2^58, and where nothing can saturate every sum below 16 times that: an int64 holds it.
PRODUCT_BITS = 58


class EarlyExit:
    """The proof for a network; see the module. What is worked out of the weights serves any number of samples.

    Parameters
    ----------
    network : ChipNetwork
    timesteps : int
        Length of the window.

    Raises
    ------
    NmdeployError
        No decision of this network can be proved before the end of the window.
    """

    def __init__(self, network: ChipNetwork, timesteps: int) -> None:
        obstacle = _obstacle(network)
        if obstacle is not None:
            raise NmdeployError(f"early exit proves the decision of a classifier, but {obstacle}")
        self._network = network
        self._timesteps = timesteps
        self._scales = _whole_scales(network)
        self._weights, self._signed = _weights_of_events(network)
        # what the spikes of one step can add to an output, at most and at least
        self._most = self._largest_sum(self._weights)
        self._least = -self._largest_sum(-self._weights)
        # What the spikes of one step can take from the lead of an output over each other one, found when first needed.
        self._loss = np.zeros((len(self._scales), len(self._scales)), dtype=np.int64)
        self._loss_known = np.zeros(len(self._scales), dtype=np.bool_)

    def decided(self, potentials: IntArray, constant: IntArray, step: int) -> NDArray[np.bool_]:
        """Which samples have after `step` steps the decision that they will have after the whole window.

        Parameters
        ----------
        potentials : int64 array, (samples, outputs)
            After `step` steps, output populations joined in C order.
        constant : int64 array, (samples, outputs)
            Bias and input current of every step (`Engine.constant`).
        step : int
            1 to the length of the window.

        Returns
        -------
        bool array, (samples,)
        """
        remaining = self._timesteps - step
        if remaining == 0:
            return np.ones(len(potentials), dtype=np.bool_)
        decided = np.zeros(len(potentials), dtype=np.bool_)
        safe = np.flatnonzero(self._cannot_saturate(potentials, constant, remaining))
        decided[safe] = self._cannot_be_overtaken(potentials[safe], constant[safe], remaining)
        return decided

    def _cannot_saturate(self, potentials: IntArray, constant: IntArray, remaining: int) -> NDArray[np.bool_]:
        state_max = self._network.state_max
        rise, fall = (state_max - potentials) // remaining, (state_max + potentials) // remaining
        inside: NDArray[np.bool_] = ((self._most + constant <= rise) & (-self._least - constant <= fall)).all(axis=1)
        return inside

    def _cannot_be_overtaken(self, potentials: IntArray, constant: IntArray, remaining: int) -> NDArray[np.bool_]:
        winners = decode(self._network, potentials[:, None], self._timesteps).argmax(axis=1)
        for winner in np.unique(winners[~self._loss_known[winners]]):
            own = self._scales[winner] * self._weights[winner]
            self._loss[winner] = self._largest_sum(self._scales[:, None] * self._weights - own)
            self._loss_known[winner] = True  # last, as other threads read the loss of what is known
        without_spikes = self._scales * (potentials + remaining * constant)
        lead = np.take_along_axis(without_spikes, winners[:, None], axis=1) - without_spikes
        lead -= remaining * self._loss[winners]
        np.put_along_axis(lead, winners[:, None], np.iinfo(np.int64).max, axis=1)
        ahead: NDArray[np.bool_] = (lead > 3 * self._network.state_max).all(axis=1)
        return ahead

    def _largest_sum(self, weights: IntArray) -> IntArray:
        """Largest ``sum(weights * spikes)`` of one step, (outputs, events) to (outputs,)."""
        largest: IntArray = np.where(self._signed, np.abs(weights), np.maximum(weights, 0)).sum(axis=1)
        return largest


def _obstacle(network: ChipNetwork) -> str | None:
    """Why no decision of a network can be proved, in words."""
    if network.refinement_steps:
        return "its last steps weigh less than the others; compile with --refinement-steps 0"
    if network.read_out_step:
        return f"its outputs are read from step {network.read_out_step} on; compile with --read-out-from 0"
    if not network.outputs:
        return "the network has no output"
    for population in network.outputs:
        if population.reset != "none":
            return f"the output {population.name} spikes, so its potential is no sum of what has arrived"
        _, rows, columns = population.shape
        if rows * columns > 1:
            return f"the output {population.name} is a map of {rows} x {columns}, not one value for each class"
    if network.state_max >= 2**STATE_BITS:
        return f"its potentials may pass 2^{STATE_BITS}"
    return None


def _whole_scales(network: ChipNetwork) -> IntArray:
    """The scales of all outputs in units of 2 to some power, rounded down."""
    scales = np.concatenate([population.scale for population in network.outputs])
    bits = min(SCALE_BITS, PRODUCT_BITS - network.state_max.bit_length())
    _, exponent = np.frexp(np.abs(scales).max())
    whole: IntArray = np.floor(np.ldexp(scales, bits - int(exponent))).astype(np.int64)
    return whole


def _weights_of_events(network: ChipNetwork) -> tuple[IntArray, NDArray[np.bool_]]:
    """What each spike that can arrive in a step adds to each output, and whether the spike may be -1.

    Returns
    -------
    int64 array, (outputs, events)
        In membrane units. Projections from one population that bring the spikes of the same step share their events.
    bool array, (events,)
    """
    outputs = sum(population.shape[0] for population in network.outputs)
    events: dict[tuple[str, int], IntArray] = {}
    first = 0
    for population in network.outputs:
        for projection in network.incoming(population.name):
            source = network.population(projection.source)
            if source.reset == "none":
                continue
            brought = events.setdefault(
                (source.name, network.lag(projection)), np.zeros((outputs, *source.shape), dtype=np.int64)
            )
            _add_weights(brought[first : first + population.shape[0]], projection, network.shift(projection))
        first += population.shape[0]
    matrices = [matrix.reshape(outputs, -1) for matrix in events.values()]
    signed = [_is_signed(network.population(name), matrix) for (name, _), matrix in zip(events, matrices, strict=True)]
    nothing = np.zeros((outputs, 0), dtype=np.int64)
    return np.concatenate([nothing, *matrices], axis=1), np.concatenate([np.zeros(0, dtype=np.bool_), *signed])


def _is_signed(source: Population, matrix: IntArray) -> NDArray[np.bool_]:
    return np.full(matrix.shape[1], source.sends_negative)


def _add_weights(matrix: IntArray, projection: Projection, shift: int) -> None:
    """Add the weights of a projection into one row and one column to (channels, *source shape)."""
    table = projection.connectivity
    rows, columns = table.rows[0], table.columns[0]
    weights = projection.weights.astype(np.int64)[:, :, rows >= 0][..., columns >= 0] << shift
    out, inner = table.out_channels // table.groups, table.in_channels // table.groups
    for group in range(table.groups):
        targets = np.arange(group * out, (group + 1) * out)
        sources = np.arange(group * inner, (group + 1) * inner) + table.source_channels[0]
        place = np.ix_(targets + table.target_channels[0], sources, rows[rows >= 0], columns[columns >= 0])
        np.add.at(matrix, place, weights[targets])  # several taps may read one neuron
