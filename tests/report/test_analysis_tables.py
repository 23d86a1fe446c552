"""The tables behind the figures of an analysis have its numbers, and say what they leave out."""

import pytest

from nmdeploy.analysis.channels import ChannelActivations, NormalisedChannels
from nmdeploy.analysis.raster import NeuronSpikes
from nmdeploy.analysis.rates import RateHistogram
from nmdeploy.report.analysis_tables import MOST_BINS, NEURONS_LISTED, channel_table, raster_table, rate_table


def test_rates():
    plain = RateHistogram("first", (0.0, 0.5, 1.0), zero=5, positive=(3, 2), negative=(0, 0))
    signed = RateHistogram("second", (0.0, 0.5, 1.0), zero=1, positive=(1, 1), negative=(0, 1))
    table = rate_table([plain, signed])
    assert table.headings == ("layer", "0", "to 0.500", "to 1.000")
    assert table.rows == (
        ("first", "50.0", "30.0", "20.0"),
        ("second", "25.0", "25.0", "25.0"),
        ("second, negative", "", "0.0", "25.0"),
    )


@pytest.mark.parametrize("bins", [MOST_BINS, MOST_BINS + 1, 2 * MOST_BINS])
def test_many_bins_are_taken_together(bins):
    edges = tuple(edge / bins for edge in range(bins + 1))
    table = rate_table([RateHistogram("first", edges, zero=0, positive=(1,) * bins, negative=(0,) * bins)])
    shares = [float(cell) for cell in table.rows[0][2:]]
    assert MOST_BINS // 2 < len(shares) <= MOST_BINS
    assert sum(shares) == pytest.approx(100, abs=0.05 * len(shares))
    assert table.headings[-1] == "to 1.000"
    assert ("Finer" in table.caption) == (bins > MOST_BINS)


def test_channels():
    norms = [NormalisedChannels((scale, 3 * scale), (scale / 10, scale / 5)) for scale in (0.2, 0.3, 0.25)]
    channels = ChannelActivations("first", (1.0, 2.0), (0.5, 0.5), (1.0, 1.0), *norms)
    table = channel_table([channels])
    assert [row[0] for row in table.rows] == ["first, layer norm", "first, channel norm", "first, as compiled"]
    assert table.rows[0][1:] == ("0.2000", "0.4000", "0.6000", "0.0200", "0.0300", "0.0400")
    assert len(table.headings) == len(table.rows[0])


@pytest.mark.parametrize("count", [2, NEURONS_LISTED + 3])
def test_raster(count):
    neurons = [NeuronSpikes("first", 1, 2, number, 4, (5, 9), (1, -1)) for number in range(count)]
    table = raster_table(neurons)
    assert table.rows[1] == ("first (1, 2, 1)", "4", "2", "5 -9")
    assert len(table.rows) == min(count, NEURONS_LISTED)
    assert (f"The first {NEURONS_LISTED} of {count}" in table.caption) == (count > NEURONS_LISTED)
