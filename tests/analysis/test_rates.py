"""Histograms of rates against numpy's, and by hand."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from chip_clock import chip_run, step_weights
from small_networks import KINDS, LEAKY, samples_of, small

from nmdeploy.analysis.observe import observe
from nmdeploy.analysis.rates import MOST_BINS, RateTally


def histograms(made, samples, timesteps):
    tally = RateTally(made.chip, timesteps)
    for observed in observe(made.chip, made.trained, samples, timesteps):
        tally.add(observed)
    return {one.name: one for one in tally.result()}


def counted(net, edges, levels):
    """How many of the net counts are above each edge, up to the next one, in exact fractions."""
    rates = [Fraction(int(count), levels) for count in net.ravel()]
    exact = [Fraction(edge).limit_denominator(levels) for edge in edges]
    return [sum(low < rate <= high for rate in rates) for low, high in pairwise(exact)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timesteps", [3, 8, 37])
def test_every_neuron_is_in_its_bin(kind, timesteps):
    made, samples = small(kind), samples_of(5)
    found = histograms(made, samples, timesteps)
    trains = chip_run(made.chip, samples, timesteps)[0]
    assert list(found) == ["first", "largest", "second"]
    weights = step_weights(timesteps, made.chip.refinement_steps)
    for name, rates in found.items():
        net = np.tensordot(trains[name], weights, (1, 0))
        assert rates.zero == (net == 0).sum()
        assert list(rates.positive) == counted(net, rates.edges, sum(weights))
        assert list(rates.negative) == counted(-net, rates.edges, sum(weights))
        assert rates.zero + sum(rates.positive) + sum(rates.negative) == net.size
    assert any(found["first"].negative) == (kind in LEAKY)


@pytest.mark.parametrize(
    ("timesteps", "width", "bins"), [(1, 1, 1), (32, 1, 32), (33, 2, 17), (64, 2, 32), (100, 4, 25)]
)
def test_bins_hold_whole_counts(timesteps, width, bins):
    (rates, *_) = RateTally(small("plain").chip, timesteps).result()
    assert len(rates.positive) == len(rates.negative) == bins <= MOST_BINS
    ends = [min(width * number, timesteps) / timesteps for number in range(bins + 1)]
    assert rates.edges == pytest.approx(ends)
