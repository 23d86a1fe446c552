"""What a program of paced neurons multiplies: bounding the residue changes no spike, and no product is too wide.

In Python's integers, by the formulas of `mapping.neuron_models`.
"""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from integer_networks import population

from mapping.neuron_models import CountMemory
from mapping.rules.product_rules import first_release_product, full_rate_product
from nmdeploy.simulator.neurons import counted_spikes

SLOPE_BITS = 8


@dataclass(frozen=True)
class Firing:
    """A firing step of a paced neuron.

    With a slope it is one of 1, so that y is z, and the residue u anything, as with any slope.
    """

    memory: CountMemory
    ordinary: int
    refinement: int
    step: int
    theta: int
    count: int
    residue: int

    @property
    def weight(self):
        """w."""
        return 1 << min(self.refinement, self.ordinary + self.refinement - 1 - self.step)

    @property
    def elapsed(self):
        """p."""
        return self.step + 1 if self.step < self.ordinary else 1

    @property
    def seen(self):
        """m."""
        return min(self.elapsed + self.memory.lead, self.ordinary) if self.step < self.ordinary else 1

    @property
    def bound(self):
        return (1 + self.memory.lead) * self.weight * self.theta

    def spike(self, residue):
        """In Python's integers."""
        slope = None if self.memory.slope_mantissa is None else 2**SLOPE_BITS
        timesteps = self.ordinary + self.refinement
        return counted_spikes(
            self.memory, residue, self.count, self.theta, self.step, timesteps, slope, self.refinement
        )


@st.composite
def firings(draw, leads):
    """A count that the neuron can have reached, and any residue; many are near the bound."""
    ordinary, lead, refinement = draw(st.integers(1, 40)), draw(leads), draw(st.integers(0, 5))
    step = draw(st.integers(0, ordinary + refinement - 1))
    sloping = draw(st.booleans())
    releases = ["half"] if sloping else ["half", "threshold"] if refinement else ["never", "half", "threshold"]
    slope = np.array([2**SLOPE_BITS]) if sloping else None
    memory = CountMemory(lead, True, False, draw(st.sampled_from(releases)), slope, SLOPE_BITS)
    reach = sum(1 << min(refinement, ordinary + refinement - 1 - earlier) for earlier in range(step))
    count = draw(st.sampled_from([0, reach, -reach * sloping]) | st.integers(-reach * sloping, reach))
    firing = Firing(memory, ordinary, refinement, step, draw(st.integers(1, 5000)), count, 0)
    near = st.tuples(st.sampled_from([-firing.bound, firing.bound]), st.integers(-3, 3)).map(sum)
    within = st.integers(-2 * firing.bound, 2 * firing.bound)
    return replace(firing, residue=draw(near | within | st.integers(-(2**40), 2**40)))


def cut_off(value, bound):
    return max(-bound, min(value, bound))


@settings(max_examples=600, deadline=None)
@given(firings(st.integers(1, 12)))
def test_a_bounded_residue_brings_the_same_spike(firing):
    bounded = cut_off(firing.residue, firing.bound)
    assert firing.spike(bounded) == firing.spike(firing.residue)
    # as a program computes it: u p against w theta m / 2 + e N theta
    owed = firing.weight * firing.theta * firing.seen + 2 * (firing.seen - firing.elapsed) * firing.count * firing.theta
    assert (firing.spike(firing.residue) == 1) == (2 * bounded * firing.elapsed >= owed)


@settings(max_examples=200, deadline=None)
@given(firings(st.integers(0, 12)))
def test_products_with_the_step_have_the_bound_of_the_rule(firing):
    """What is multiplied and what it is compared with, whatever the input."""
    chip = population("n", (1, 1, 1), threshold=np.array([firing.theta]), count_memory=firing.memory)
    largest = full_rate_product(chip, firing.memory, firing.ordinary) << firing.refinement
    assert abs(cut_off(firing.residue, firing.bound) * firing.elapsed) <= largest
    unit, ahead = firing.weight * firing.theta * firing.seen, firing.seen - firing.elapsed
    dues = [unit / 2, -unit / 2] + [-unit] * (firing.memory.release == "threshold")
    assert all(abs(due + ahead * firing.count * firing.theta) <= largest for due in dues)


@settings(max_examples=300, deadline=None)
@given(firings(st.just(0)))
def test_without_a_lead_the_residue_itself_is_compared(firing):
    """p = m: nothing is multiplied."""
    unit, u = firing.weight * firing.theta, firing.residue
    released = {"never": False, "half": 2 * u < -unit, "threshold": u < -unit}
    mode = "half" if firing.step >= firing.ordinary else firing.memory.release
    may = firing.count > 0 or firing.memory.slope_mantissa is not None
    assert firing.spike(u) == (1 if 2 * u >= unit else -1 if released[mode] and may else 0)


def test_without_a_lead_a_cut_at_the_threshold_would_keep_a_spike():
    """Why the bound of neurons with a lead is not that of those without."""
    firing = Firing(CountMemory(0, release="threshold"), 8, 0, 1, 10, 1, -11)
    assert firing.spike(-11) == -1
    assert firing.spike(cut_off(-11, firing.bound)) == 0


@settings(max_examples=500, deadline=None)
@given(st.integers(-(2**40), -1), st.integers(-(2**12), 2**12), st.integers(1, 16))
@example(-1, 1, 8)
@example(-256, 255, 8)
def test_the_product_with_the_slope_in_two_parts(z, mantissa, bits):
    high, low = (z >> bits) * mantissa, (z & (2**bits - 1)) * mantissa
    assert high + (low >> bits) == (z * mantissa) >> bits
    # the high part is as wide as what it stands for, and one mantissa at most beyond it; the low part like no input
    assert abs(high) * 2**bits <= abs(z * mantissa) + (2**bits - 1) * abs(mantissa)
    if mantissa:
        memory = CountMemory(1, True, False, "half", np.array([mantissa]), bits)
        chip = population("n", (1, 1, 1), threshold=np.array([1]), count_memory=memory)
        assert abs(low) <= first_release_product(chip, memory, 0) == (2**bits - 1) * abs(mantissa)
