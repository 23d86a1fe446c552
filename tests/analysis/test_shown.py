"""Figures as tables and pages write them."""

import pytest

from nmdeploy.analysis.shown import decibels, percent, ratio, share


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (share(0.12345), "0.1235"),
        (percent(0.00126), "0.13%"),
        (decibels(12.34), "12.3"),
        (decibels(-0.04), "0.0"),
        (decibels(-0.06), "-0.1"),
        (ratio(30.0, 0.03), "30.0"),
        (ratio(None, 0.0), "exact"),
        (ratio(None, None), "-"),
        (share(None), "-"),
        (percent(None), "-"),
        (decibels(None), "-"),
    ],
)
def test_texts(text, expected):
    assert text == expected
