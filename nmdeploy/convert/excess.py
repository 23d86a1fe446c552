"""By how much the values of a channel exceed a threshold in sum: all that threshold searches ask of a histogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nmdeploy.convert.histogram import BINS, MagnitudeHistogram

FloatArray = NDArray[np.float64]


class ExcessFunction:
    """``E(t) = sum over the values of max(|a| - t, 0)``, per channel.

    The values of a bin are taken as evenly spread in it, which makes E continuous and piecewise quadratic; it differs
    from the exact sum by at most half a bin's width for each value that is above t or in the bin of t.

    Parameters
    ----------
    histogram : MagnitudeHistogram
    """

    def __init__(self, histogram: MagnitudeHistogram) -> None:
        self._width = histogram.width
        # at the lower edge of each bin, and at the end of the last: values above, and their excess in bin widths
        self._above = np.zeros((len(histogram.counts), BINS + 1))
        self._above[:, :BINS] = histogram.counts[:, ::-1].cumsum(axis=1)[:, ::-1]
        self._excess = np.zeros_like(self._above)
        steps = self._above[:, 1:] + histogram.counts / 2.0
        self._excess[:, :BINS] = steps[:, ::-1].cumsum(axis=1)[:, ::-1]

    def __call__(self, thresholds: FloatArray) -> FloatArray:
        """Evaluate at one threshold of each channel.

        Parameters
        ----------
        thresholds : float64 array, (channels,)
            In activation units, not negative.

        Returns
        -------
        float64 array, (channels,)
            In activation units.
        """
        from nmdeploy.convert.compiled_loops import excess_above

        found = np.empty(thresholds.shape)
        excess_above(thresholds / self._width, self._above, self._excess, found)
        return found * self._width

    def over_borders(self, levels: FloatArray, timesteps: int) -> FloatArray:
        """``sum of E((j - 1/2) * level)`` with j from 1 to `timesteps`: over the borders where counts round up.

        Parameters
        ----------
        levels : float64 array, (channels, candidates)
            In activation units, not negative.
        timesteps : int

        Returns
        -------
        float64 array, (channels, candidates)
            In activation units.
        """
        from nmdeploy.convert.compiled_loops import excess_above_borders

        found = np.empty(levels.shape)
        width = self._width[:, None]
        excess_above_borders(levels / width, timesteps, self._above, self._excess, found)
        return found * width
