"""When a neuron spikes, as the docstrings of `mapping` say: one neuron, one step, Python's integers and fractions."""

from __future__ import annotations

import math
from fractions import Fraction


def round_half_up(value):
    return math.floor(value + Fraction(1, 2))


def activation(memory, channel, total):
    """y of z: the total input, its negative part times the slope, rounded down."""
    if total >= 0 or memory.slope_mantissa is None:
        return total
    return math.floor(Fraction(total * int(memory.slope_mantissa[channel]), 2**memory.slope_bits))


def steps_seen(memory, step, timesteps):
    """p and m of a firing step."""
    return step + 1, min(step + 1 + memory.lead, timesteps) if memory.paced else step + 1


def counted_spike(memory, channel, threshold, v, sent, step, weights):
    """Spike of a neuron with a count memory: towards the count that its input so far is worth.

    `weights` are those of all firing steps, or their number if all weigh 1.
    """
    weights = [1] * weights if isinstance(weights, int) else weights
    ordinary = sum(weight == weights[0] for weight in weights) if weights[0] > 1 else len(weights)
    if weights[0] > 1:
        return weighed_spike(memory, channel, threshold, v, sent, step, weights, ordinary)
    timesteps = ordinary
    if memory.shift_only:
        return shifted_spike(memory, threshold, v, sent, step, timesteps)
    p, m = steps_seen(memory, step, timesteps)
    worth = Fraction(activation(memory, channel, v + sent * threshold), threshold) * Fraction(p, m)
    if sent < round_half_up(worth):
        return 1
    released = {"never": False, "half": sent > round_half_up(worth), "threshold": worth < sent - 1}
    return -1 if released[memory.release] and may_release(memory, sent) else 0


def weighed_spike(memory, channel, threshold, v, sent, step, weights, ordinary):
    """With refinement steps: the nearest count that a spike of this step's weight leads to; no pace at the end."""
    refines = step >= ordinary
    p, m = (1, 1) if refines else steps_seen(memory, step, ordinary)
    worth = Fraction(activation(memory, channel, v + sent * threshold), threshold) * Fraction(p, m)
    half = Fraction(weights[step], 2)
    if worth >= sent + half:
        return 1
    released = worth < sent - half if refines or memory.release == "half" else worth < sent - 2 * half
    return -1 if released and may_release(memory, sent) else 0


def shifted_spike(memory, threshold, v, sent, step, timesteps):
    """As `counted_spike`, the division by p being one by the power of two below."""
    p, m = steps_seen(memory, step, timesteps)
    power = max(2**exponent for exponent in range(p) if 2**exponent <= p)

    def ahead(count):
        return math.floor(Fraction(count * (m - p) * threshold, power))

    if 2 * v >= threshold + ahead(2 * sent + 1):
        return 1
    released = {
        "never": False,
        "half": 2 * v < -threshold + ahead(2 * sent - 1),
        "threshold": v < -threshold + ahead(sent - 1),
    }
    return -1 if released[memory.release] and may_release(memory, sent) else 0


def may_release(memory, sent):
    return sent > 0 or memory.slope_mantissa is not None


def threshold_spike(p, channel, v):
    """Spike of a neuron without a memory but its potential."""
    if p.reset == "none":
        return 0
    if v >= p.threshold[channel]:
        return 1
    return -1 if p.negative_threshold is not None and v <= -p.negative_threshold[channel] else 0


def after_spike(p, channel, v, spike, weight=1):
    if spike and p.reset == "zero":
        return 0
    if spike < 0 and p.negative_threshold is not None:
        return v + int(p.negative_threshold[channel])
    return v - spike * weight * int(p.threshold[channel])
