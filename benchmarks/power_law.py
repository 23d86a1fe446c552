"""How a quantity grows: the exponent of a power law through measured points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def fitted_exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Slope of the line of least squares through the logarithms; 1 is linear growth.

    Parameters
    ----------
    sizes, values : sequences of positive float, the same length, at least two different sizes
    """
    if len(sizes) != len(values) or len(set(sizes)) < 2:
        raise ValueError(f"an exponent needs values at two sizes or more, not {len(values)} at {sizes}")
    if min(*sizes, *values) <= 0:
        raise ValueError("a power law has positive sizes and values only")
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
