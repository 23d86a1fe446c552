"""Neurons that remember how often they have spiked: what a population of them has beyond potential and threshold.

Only chips with programmable neurons have them. All arithmetic is of integers; `theta` is the threshold of the channel.

Count memory
------------
N is the number of spikes sent since the window began, +1 and -1 counted as such, and ``v`` falls by ``theta`` with
every spike of +1 and rises by ``theta`` with every one of -1. So ``z = v + N * theta`` is all that came in so far.
In firing step j, with ``p = j + 1`` and ``m = min(p + lead, T)`` if paced, else ``m = p``::

    y = z                                                 for z >= 0, and everywhere without a slope
    y = (z * slope_mantissa) >> slope_bits                for z < 0 with a slope
    +1  iff  2 * y * p >= (2 * N + 1) * theta * m
    -1  iff  2 * y * p <  (2 * N - 1) * theta * m         for release "half"
             y * p <  (N - 1) * theta * m                 for release "threshold"
             never                                        for release "never"

A spike of a refinement step (`mapping.step_weights`) stands for less: with w the weight of the firing step, v changes
by ``w * theta`` and N by w, ``2 * N + 1`` above is ``2 * N + w``, ``2 * N - 1`` is ``2 * N - w``, ``N - 1`` is
``N - w``. p and m count the steps before the refinement steps, within which ``p = m`` and all release by "half".

so N follows ``round(y / theta * p / m)``, one spike a step at most. Without a slope (a rectifier) -1 is sent only
while N > 0: N never falls below 0. Pacing is the rule of paced firing: a neuron that has seen m of T steps of its
input and has p firing steps behind it owes the share p / m of the spikes that its input so far is worth, and the
last `lead` steps catch up exactly.

The shift-only form replaces the division by p by a shift to the right by ``s = floor(log2(p))``; with ``e = m - p``::

    +1  iff  2 * v >= theta + (((2 * N + 1) * e * theta) >> s)
    -1  iff  2 * v < -theta + (((2 * N - 1) * e * theta) >> s)      for release "half"
             v < -theta + (((N - 1) * e * theta) >> s)              for release "threshold"

It is the same rule wherever p is a power of two that divides theta, and has no slope.

What a program multiplies
-------------------------
No product needs more bits than the potential has, in windows that are not too long for it. With the residue
``u = y - N * theta`` (v itself where y = z) and ``e = m - p <= lead``, the rule for +1 reads
``u * p >= w * theta * m / 2 + e * N * theta``, and N is at most ``w * j`` after j steps: the right side lies within
``(1 + lead) * w * theta * p``, as does that for -1. So neurons with a lead may cut u off at
``+-(1 + lead) * w * theta`` before it is multiplied, and all products are at most ``(1 + lead) * w * theta * (T - R)``,
whatever the input. Without a lead p = m, and u itself is compared: nothing is multiplied, nor cut off (release
"threshold" asks for u below ``-w * theta``). The product with the slope is taken in two parts,
``(z >> b) * mantissa + (((z & (2**b - 1)) * mantissa) >> b)`` with ``b = slope_bits``, which is ``(z * mantissa) >> b``
exactly.

Count-gated maximum
-------------------
The synapses of a neuron are told apart by their weights, the powers ``base**i`` of a base: 2 where sources send 0 or 1,
4 where they send -1, 0 or 1. The synaptic input of a step, plus ``sum(base**i)`` for base 4, is a number whose digits
are the spikes (plus 1 for base 4). The neuron counts the spikes of each synapse, M is the largest of the counts of the
synapses that it has (those on padding do not exist), N its own net spikes, and it sends ``M - N``, which is in
{-1, 0, 1}: all counts start at 0 and change by one at most, hence so does their maximum. So N is the maximum of the
counts in every step (Hu et al. 2018 for counts that only grow; here for both signs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Release = Literal["never", "half", "threshold"]
NeuronModel = Literal["if", "imbalanced", "signed", "paced", "max_pool"]


@dataclass(frozen=True)
class CountMemory:
    """How neurons with a count memory fire; see the module for the rule.

    Attributes
    ----------
    lead : int
        k, steps of input that a population takes in before its first firing step, beyond the first.
    paced : bool
        Whether the target count is that of the elapsed share of the window.
    shift_only : bool
        The form without multiplication by the step; no slope.
    release : {"never", "half", "threshold"}
        When a spike is taken back by one of -1.
    slope_mantissa : int64 array, (channels,), or None
        Slope of the activation for negative input, times ``2**slope_bits``; None for a rectifier.
    slope_bits : int
    """

    lead: int = 1
    paced: bool = True
    shift_only: bool = False
    release: Release = "never"
    slope_mantissa: NDArray[np.int64] | None = None
    slope_bits: int = 8

    @property
    def model(self) -> NeuronModel:
        """Name of the neuron model as profiles list it."""
        return "paced" if self.paced else "signed"

    @property
    def sends_negative(self) -> bool:
        """Whether there are spikes of -1."""
        return self.release != "never"

    def problems(self) -> list[str]:
        """What no neuron of this kind can do, in words."""
        found = []
        if self.lead < 0:
            found.append(f"a lead of {self.lead} steps")
        if self.lead and not self.paced:
            found.append(f"a lead of {self.lead} steps without pace")
        if self.shift_only and (self.slope_mantissa is not None or not self.paced):
            found.append("shifts in place of products with a slope or without pace")
        if self.slope_mantissa is not None and self.release != "half":
            found.append(f"release '{self.release}' with a slope, which follows its target only with 'half'")
        return found


@dataclass(frozen=True)
class PoolCounts:
    """A count-gated maximum; see the module for the rule.

    Attributes
    ----------
    base : {2, 4}
        4 where the sources send -1 too.
    """

    base: Literal[2, 4]

    @property
    def sends_negative(self) -> bool:
        """Whether there are spikes of -1."""
        return self.base == 4
