"""Samples of each layout reach the network normalised; wrong ones are errors."""

import numpy as np
import pytest

from nmdeploy.errors import DataFileError, NmdeployError
from nmdeploy.preprocessing import Preprocessing

SAMPLES = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5), dtype=np.uint8)


def test_normalisation_per_channel():
    mean, std = (0.1, 0.2, 0.3), (1.0, 2.0, 3.0)
    result = Preprocessing(255, mean, std).apply(SAMPLES, (3, 4, 5))
    assert result.dtype == np.float32
    for channel in range(3):
        expected = (SAMPLES[:, channel] / 255 - mean[channel]) / std[channel]
        np.testing.assert_allclose(result[:, channel], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("layout", "samples", "shape"),
    [
        ("NHWC", SAMPLES.transpose(0, 2, 3, 1), (3, 4, 5)),
        ("NHW", SAMPLES[:, 0], (1, 4, 5)),
        ("NCL", SAMPLES[:, :, 0], (3, 1, 5)),
        ("NF", SAMPLES[:, :, 0, 0], (3, 1, 1)),
    ],
)
def test_layouts(layout, samples, shape):
    result = Preprocessing(layout=layout).apply(samples, shape)
    expected = SAMPLES[:, : shape[0], : shape[1], : shape[2]]
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("options", "shape", "text"),
    [
        ({}, (3, 5, 4), "network takes"),
        ({"layout": "NHW"}, (3, 4, 5), "4 axes"),
        ({"layout": "NHWC"}, (3, 4, 5), "--layout"),
    ],
)
def test_samples_that_do_not_fit(options, shape, text):
    with pytest.raises(DataFileError, match=text):
        Preprocessing(**options).apply(SAMPLES, shape)


def test_samples_that_are_not_finite():
    with pytest.raises(DataFileError, match="NaN"):
        Preprocessing().apply(np.full((1, 3, 4, 5), np.inf), (3, 4, 5))


@pytest.mark.parametrize(
    "options",
    [
        {"scale": 0},
        {"scale": float("inf")},
        {"std": (1.0, 0.0)},
        {"mean": ()},
        {"mean": (float("nan"),)},
        {"layout": "CHW"},
    ],
)
def test_options_that_make_no_sense(options):
    with pytest.raises(NmdeployError):
        Preprocessing(**options)


def test_channels():
    with pytest.raises(NmdeployError, match="std has 2 values, the network 3"):
        Preprocessing(std=(1.0, 2.0)).apply(SAMPLES, (3, 4, 5))
