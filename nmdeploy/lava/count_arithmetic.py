"""The rule of neurons with a count memory, in few passes over the neurons; see `mapping.neuron_models`. Needs no Lava.

With x the potential v, c = m - p, and w the weight of the step, all but the shift-only form is::

    +1  iff  2 * p * x >= theta * (2 * c * N + w * m)
    -1  iff  2 * p * x <  theta * (2 * c * N - w * m)          for release "half"
             2 * p * x <  theta * (2 * c * N - 2 * w * m)      for release "threshold"

as ``z = v + N * theta`` puts ``2 * p * N * theta`` on both sides. With a slope x is y, and c = m.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mapping.neuron_models import CountMemory
from mapping.step_weights import input_shift, window_weight
from nmdeploy.lava.window_clock import FiringStep

IntegerArray = NDArray[np.signedinteger[Any]]


def counted_spikes(
    memory: CountMemory,
    potential: IntegerArray,
    net_spikes: IntegerArray,
    threshold: IntegerArray,
    firing: FiringStep,
) -> NDArray[np.int8]:
    """Spikes in {-1, 0, 1} of one firing step.

    Parameters
    ----------
    memory : CountMemory
    potential, net_spikes : integer arrays of one type, (batch, rows, columns, channels)
        The type holds `largest_product`.
    threshold : integer array of that type, (channels,)
    firing : FiringStep
        One without refinement steps for the shift-only form.
    """
    refines = firing.index >= firing.ordinary_steps
    elapsed = 1 if refines else firing.index + 1
    seen = min(elapsed + memory.lead, firing.ordinary_steps) if memory.paced and not refines else elapsed
    if memory.shift_only:
        return _shifted(memory, potential, net_spikes, threshold, elapsed, seen)
    if memory.slope_mantissa is None:
        share, owed = seen - elapsed, 2 * elapsed * potential
    else:
        share, owed = seen, 2 * elapsed * _activation(memory, net_spikes * threshold + potential)
    weight = seen << firing.weight_shift
    due = net_spikes * (2 * share * threshold)
    due += weight * threshold
    spikes = (owed >= due).view(np.int8)
    if memory.sends_negative:
        due -= (2 if memory.release == "half" or refines else 3) * weight * threshold
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


def largest_after_firing(
    memory: CountMemory, threshold_max: int, state_max: int, timesteps: int, refinement_steps: int = 0
) -> int:
    """Largest magnitude of a potential that firing steps leave.

    It may leave the range of the state by what a spike takes in each firing step, of which ``lead + 1`` follow the last
    saturation.
    """
    return state_max + (memory.lead + 1) * (threshold_max << input_shift(0, timesteps, refinement_steps))


def largest_product(
    memory: CountMemory, threshold_max: int, state_max: int, timesteps: int, refinement_steps: int = 0
) -> int:
    """Largest magnitude of anything that `counted_spikes` computes.

    p, m, c are at most T, and N at most L, the weight of all steps of a window, which is T without refinement steps.
    So ``theta * (2 * c * N + 3 * w * m)`` is at most ``theta * T * (2 * L + 3 * w)``, and in the shift-only form all is
    below that. ``2 * p * x`` is at most ``2 * T`` times v, or times y.
    """
    levels = window_weight(timesteps, refinement_steps)
    due = threshold_max * timesteps * (2 * levels + (3 << input_shift(0, timesteps, refinement_steps)))
    largest = largest_after_firing(memory, threshold_max, state_max, timesteps, refinement_steps)
    if memory.slope_mantissa is None:
        return max(due, 2 * timesteps * largest)
    total = largest + levels * threshold_max
    sloped = total * int(np.abs(memory.slope_mantissa).max())
    return max(due, sloped, 2 * timesteps * max(total, (sloped >> memory.slope_bits) + 1))
