"""The rule of neurons with a count memory, in few passes over the neurons; see `mapping.neuron_models`. Needs no Lava.

With x the potential v, and c = m - p, all but the shift-only form is::

    +1  iff  2 * p * x >= theta * (2 * c * N + m)
    -1  iff  2 * p * x <  theta * (2 * c * N - m)              for release "half"
             2 * p * x <  theta * (2 * c * N - 2 * m)          for release "threshold"

as ``z = v + N * theta`` puts ``2 * p * N * theta`` on both sides. With a slope x is y, and c = m.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.neuron_models import CountMemory

IntegerArray = NDArray[np.signedinteger[Any]]


def counted_spikes(
    memory: CountMemory,
    potential: IntegerArray,
    net_spikes: IntegerArray,
    threshold: IntegerArray,
    step: int,
    timesteps: int,
) -> NDArray[np.int8]:
    """Spikes in {-1, 0, 1} of one firing step.

    Parameters
    ----------
    memory : CountMemory
    potential, net_spikes : integer arrays of one type, (batch, rows, columns, channels)
        The type holds `largest_product`.
    threshold : integer array of that type, (channels,)
    step : int
        Index of the firing step.
    timesteps : int
        Firing steps of a window.
    """
    elapsed = step + 1
    seen = min(elapsed + memory.lead, timesteps) if memory.paced else elapsed
    if memory.shift_only:
        return _shifted(memory, potential, net_spikes, threshold, elapsed, seen)
    if memory.slope_mantissa is None:
        share, owed = seen - elapsed, 2 * elapsed * potential
    else:
        share, owed = seen, 2 * elapsed * _activation(memory, net_spikes * threshold + potential)
    due = net_spikes * (2 * share * threshold)
    due += seen * threshold
    spikes = (owed >= due).view(np.int8)
    if memory.sends_negative:
        due -= (2 if memory.release == "half" else 3) * seen * threshold
        spikes -= _released(memory, owed < due, net_spikes)
    return spikes


def _activation(memory: CountMemory, total: IntegerArray) -> IntegerArray:
    """The input so far as it counts: y of z."""
    assert memory.slope_mantissa is not None
    slope = memory.slope_mantissa.astype(total.dtype)
    return np.where(total < 0, (total * slope) >> memory.slope_bits, total)


def _shifted(
    memory: CountMemory,
    potential: IntegerArray,
    net_spikes: IntegerArray,
    threshold: IntegerArray,
    elapsed: int,
    seen: int,
) -> NDArray[np.int8]:
    shift, ahead = elapsed.bit_length() - 1, (seen - elapsed) * threshold
    twice = 2 * potential
    spikes = (twice >= threshold + (((2 * net_spikes + 1) * ahead) >> shift)).view(np.int8)
    if memory.release == "half":
        low = twice < (((2 * net_spikes - 1) * ahead) >> shift) - threshold
        spikes -= _released(memory, low, net_spikes)
    elif memory.release == "threshold":
        low = potential < (((net_spikes - 1) * ahead) >> shift) - threshold
        spikes -= _released(memory, low, net_spikes)
    return spikes


def _released(memory: CountMemory, low: NDArray[np.bool_], net_spikes: IntegerArray) -> NDArray[np.int8]:
    """Of those that have sent too much, 1 for those that take a spike back; a rectifier never sends less than none."""
    if memory.slope_mantissa is None:
        low &= net_spikes > 0
    return low.view(np.int8)


def largest_after_firing(memory: CountMemory, threshold_max: int, state_max: int) -> int:
    """Largest magnitude of a potential that firing steps leave.

    It may leave the range of the state by a threshold a firing step, of which ``lead + 1`` follow the last saturation.
    """
    return state_max + (memory.lead + 1) * threshold_max


def largest_product(memory: CountMemory, threshold_max: int, state_max: int, timesteps: int) -> int:
    """Largest magnitude of anything that `counted_spikes` computes.

    N and p, m, c are at most T; so ``theta * (2 * c * N + 3 * m)`` is at most ``theta * T * (2 * T + 3)``, and in the
    shift-only form everything is below that. ``2 * p * x`` is at most ``2 * T`` times v, or times y.
    """
    due = threshold_max * timesteps * (2 * timesteps + 3)
    largest = largest_after_firing(memory, threshold_max, state_max)
    if memory.slope_mantissa is None:
        return max(due, 2 * timesteps * largest)
    total = largest + timesteps * threshold_max
    sloped = total * int(np.abs(memory.slope_mantissa).max())
    return max(due, sloped, 2 * timesteps * max(total, (sloped >> memory.slope_bits) + 1))
