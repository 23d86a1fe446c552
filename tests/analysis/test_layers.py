"""Rows of the layer table against sums over every neuron, of trains from the chip's clock."""

import math
from dataclasses import replace

import numpy as np
import pytest
from chip_clock import chip_run, step_weights
from integer_networks import network, one_to_one, population, projection
from small_networks import KINDS, THRESHOLD, samples_of, small

from nmdeploy.analysis import observe as observe_module
from nmdeploy.analysis.fidelity import Deviation, decibels, rounded_to_levels
from nmdeploy.analysis.layers import LayerTally
from nmdeploy.analysis.observe import Observed, observe
from nmdeploy.simulator import layer_by_layer
from nmdeploy.spiking.network import FloatPopulation, build_spiking_network

SAMPLES = 13


def table_of(made, samples, timesteps):
    tally = LayerTally(made.chip)
    for observed in observe(made.chip, made.trained, samples, timesteps):
        tally.add(observed)
    return tally.result()


def nearest_level(value, scale, levels, signed):
    """Of all counts that a neuron can have, the one whose rate stands for the nearest activation."""
    counts = range(-levels if signed else 0, levels + 1)
    return min((scale * count / levels for count in counts), key=lambda level: abs(value - level))


def db(signal, noise):
    return 10 * math.log10(signal / noise) if noise else None


class Reference:
    """A population's row in plain NumPy."""

    def __init__(self, made, samples, timesteps):
        weights = np.array(step_weights(timesteps, made.chip.refinement_steps))
        self.made, self.levels = made, int(weights.sum())
        self.trains, self.potentials, _ = chip_run(made.chip, samples, timesteps)
        self.wanted = made.activations(samples)
        self.represented = {"input": samples.astype(np.float64)}
        for one in made.chip.populations:
            net = np.tensordot(self.trains[one.name], weights, (1, 0))
            total = self.potentials[one.name][:, -1] if one.is_output else net
            arranged = total.reshape(len(samples), *one.shape)
            self.represented[one.name] = arranged * one.scale[:, None, None] / self.levels

    def ratio(self, name, wanted):
        return db((wanted**2).sum(), ((wanted - self.represented[name]) ** 2).sum())

    def ideal(self, name, wanted):
        one = self.made.chip.population(name)
        levels = np.array(
            [
                nearest_level(wanted[place], one.scale[place[1]], self.levels, one.sends_negative)
                for place in np.ndindex(wanted.shape)
            ]
        )
        return db((wanted**2).sum(), ((wanted.ravel() - levels) ** 2).sum())

    def own(self, name):
        return self.made.layer(name, self.represented)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timesteps", [8, 5])
def test_ratios(kind, timesteps):
    made, samples = small(kind), samples_of(SAMPLES)
    expected = Reference(made, samples, timesteps)
    for row in table_of(made, samples, timesteps).rows:
        name, wanted, own = row.name, expected.wanted[row.name], expected.own(row.name)
        assert row.snr_db == pytest.approx(expected.ratio(name, wanted), rel=1e-4)
        assert row.relative_error == pytest.approx(10 ** (-row.snr_db / 20))
        if name == "largest":
            # the largest count of a row stands for the largest of what the counts stand for
            assert (row.own_snr_db, row.own_relative_error, row.own_drop_db) == (None, 0.0, None)
        else:
            assert row.own_snr_db == pytest.approx(expected.ratio(name, own), rel=1e-3)
        if name == "out":
            assert (row.ideal_snr_db, row.drop_db, row.own_drop_db, row.is_output) == (None, None, None, True)
            continue
        assert row.ideal_snr_db == pytest.approx(expected.ideal(name, wanted), rel=1e-4)
        assert row.drop_db == pytest.approx(row.ideal_snr_db - row.snr_db, abs=1e-6)
        if name != "largest":
            ideal = expected.ideal(name, own)
            assert row.own_drop_db == pytest.approx(ideal - row.own_snr_db, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_shares_and_counts(kind):
    made, samples = small(kind), samples_of(SAMPLES)
    expected = Reference(made, samples, 8)
    for row in table_of(made, samples, 8).rows:
        train, wanted = np.abs(expected.trains[row.name]), expected.wanted[row.name]
        assert row.spikes == pytest.approx(train.sum() / SAMPLES)
        assert row.shape == made.chip.population(row.name).shape
        if row.name == "out":
            assert (row.mean_rate, row.silent, row.clipped, row.model) == (None, None, None, "accumulator")
            continue
        assert row.mean_rate == pytest.approx(train.mean())
        assert row.silent == pytest.approx((train.sum(axis=(0, 1)) == 0).mean())
        assert row.clipped == pytest.approx((np.abs(wanted) > made.scales[row.name][:, None, None]).mean())
        assert row.model == ("max_pool" if row.name == "largest" else made.chip.population(row.name).model)


def test_the_marked_layers_have_the_largest_drops():
    table = table_of(small("plain"), samples_of(SAMPLES), 8)
    drops = {row.name: row.drop_db for row in table.rows if row.drop_db is not None}
    own = {row.name: row.own_drop_db for row in table.rows if row.own_drop_db is not None}
    assert table.furthest_below_ideal == max(drops, key=drops.get)
    assert table.loses_most_itself == max(own, key=own.get)
    assert len(drops) == 3
    assert max(drops.values()) > max(own.values()) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_batches_do_not_matter(kind, monkeypatch):
    """Whether the arrays of an analysis are large or the spikes of the samples are."""
    made, samples = small(kind), samples_of(SAMPLES)
    whole = table_of(made, samples, 8)
    for module, limit, size, batches in (
        (observe_module, "WORKING_BYTES", 3 * 12 * 8 * 12, [3, 3, 3, 3, 1]),
        (layer_by_layer, "SPIKES_BYTES", 1, [1] * SAMPLES),
    ):
        monkeypatch.setattr(module, limit, size)
        done = []
        names = [one.population.name for one in observe(made.chip, made.trained, samples, 8, done.append)]
        assert done == batches
        assert names == ["first", "largest", "second", "out"] * len(batches)
        for row, again in zip(whole.rows, table_of(made, samples, 8).rows, strict=True):
            for name, expected in vars(row).items():
                close = pytest.approx(expected, rel=1e-4) if isinstance(expected, float) else expected
                assert getattr(again, name) == close, name


def test_potentials_that_are_cut_off():
    """Growing by 40 a step and never spiking, from 0 on and cut off at 100: at 120 and then at 140, three times."""
    rising = population("rising", (2, 1, 1), threshold=np.full(2, 1000), bias_mantissa=np.array([[[40]], [[0]]]))
    net = network([rising], state_max=100)
    tally = LayerTally(net)
    for observed in observe(net, build_spiking_network((1, 1, 1), [], []), np.zeros((4, 1, 1, 1), np.float32), 5):
        tally.add(observed)
    (row,) = tally.result().rows
    assert (row.saturations, row.saturated, row.silent) == (3.0, 3 / (2 * 5), 1.0)


def test_populations_that_the_float_network_lacks_have_no_ratio():
    """A relay after the layer, say, and one of another shape."""
    one = population("first", (2, 1, 2), bias_mantissa=np.full((2, 1, 1), 5), scale=np.array([2.0, 4.0]))
    relay = population("relay", (2, 1, 2), scale=np.ones(2))
    other = population("other", (2, 1, 2))
    net = network([one, relay, other], [projection("first", "relay", one_to_one((2, 1, 2)), [10, 10])])
    half = FloatPopulation("first", (2, 1, 2), "rectifier", None, np.array([1.0, 2.0])[:, None, None], one.scale)
    large = FloatPopulation("other", (2, 2, 2), "rectifier", None, np.zeros((2, 1, 1)), np.ones(2))
    trained = build_spiking_network((1, 1, 1), [half, large], [])
    tally = LayerTally(net)
    for observed in observe(net, trained, np.zeros((3, 1, 1, 1), np.float32), 4):
        tally.add(observed)
    first, relayed, reshaped = tally.result().rows
    assert first.relative_error == first.own_relative_error == 0
    assert first.snr_db is None
    for row in (relayed, reshaped):
        assert (row.snr_db, row.relative_error, row.ideal_snr_db, row.clipped, row.own_snr_db) == (None,) * 5
    assert relayed.spikes == 4 * 2
    assert tally.result().furthest_below_ideal is None


def test_magnitudes_are_clipped_and_an_ideal_layer_loses_nothing():
    """Scale 1/2, four steps: -0.6 and 0.7 are clipped to four spikes, 0.4 is three, -0.1 is one."""
    plain = population("signed", (1, 2, 2), scale=np.array([0.5]), start_step=0)
    signed = replace(plain, negative_threshold=np.array([9]))
    activations = np.array([[[-0.6, 0.4, 0.7, -0.1]]])
    net = network([signed])
    # squares of errors: .01, .000625, .04, and .000625 of one spike or .01 of none
    lost = 10 * math.log10((0.01 + 0.000625 + 0.04 + 0.01) / (0.01 + 0.000625 + 0.04 + 0.000625))
    for counts, drop, marked in (([-4, 3, 4, -1], 0.0, None), ([-4, 3, 4, 0], lost, "signed")):
        net_counts = np.array([counts])
        tally = LayerTally(net)
        represented = 0.5 * net_counts[:, None] / 4
        train = np.zeros((4, 4), np.int8)
        tally.add(Observed(signed, 4, 4, net_counts, abs(net_counts), 0, train, represented, activations, activations))
        (row,) = tally.result().rows
        assert (row.clipped, row.spikes) == (0.5, abs(net_counts).sum())
        assert tally.result().furthest_below_ideal == tally.result().loses_most_itself == marked
        assert row.drop_db == pytest.approx(drop, abs=1e-9)


def test_rounding_to_levels():
    """Levels of 0, 1/2, 1 and -1/2, -1 with spikes of both signs; halves between two of them go up."""
    values = np.array([[[-9.0, -0.3, -0.2, 0.24, 0.25, 0.7, 0.75, 1.2, 1e9]]])
    rounded = rounded_to_levels(values, np.array([1.0]), 2, signed=False)
    assert rounded.ravel().tolist() == [0, 0, 0, 0, 0.5, 0.5, 1, 1, 1]
    signed = rounded_to_levels(values, np.array([1.0]), 2, signed=True)
    assert signed.ravel().tolist() == [-1, -0.5, 0, 0, 0.5, 0.5, 1, 1, 1]


def test_decibels():
    assert decibels(100.0, 1.0) == pytest.approx(20.0)
    assert decibels(1.0, 0.0) is decibels(0.0, 1.0) is None
    nothing = Deviation()
    nothing.add(np.zeros(3), np.ones(3))
    assert (nothing.ratio_db, nothing.relative_error) == (None, None)


def test_a_population_at_its_ideal():
    """Constant input, half the threshold to begin with: spikes are even, and rounding and clipping is all that is lost.

    The threshold is 640 and T 8, so the integers round far less than the levels do.
    """
    first = table_of(small("plain"), samples_of(SAMPLES), 8).rows[0]
    assert first.name == "first"
    assert abs(first.drop_db) < 0.05
    assert THRESHOLD == 640
