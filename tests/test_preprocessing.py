"""Preprocessing of every layout, pixel by pixel, and against the arithmetic of torch."""

import numpy as np
import pytest
import torch

from nmdeploy.errors import DataFileError, NmdeployError
from nmdeploy.preprocessing import Preprocessing

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (5, 3, 4, 6), dtype=np.uint8)


def test_channels_first_equals_torch(pixels):
    given = Preprocessing(255.0, **IMAGENET, layout="NCHW").apply(pixels, (3, 4, 6))
    mean, std = (torch.tensor(IMAGENET[name], dtype=torch.float64).reshape(1, 3, 1, 1) for name in ("mean", "std"))
    expected = (torch.from_numpy(pixels).double() / 255 - mean) / std
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, expected.numpy(), rtol=1e-6, atol=1e-6)


def test_channels_last_is_the_same_image(pixels):
    first = Preprocessing(255.0, **IMAGENET, layout="NCHW").apply(pixels, (3, 4, 6))
    last = Preprocessing(255.0, **IMAGENET, layout="NHWC").apply(pixels.transpose(0, 2, 3, 1), (3, 4, 6))
    np.testing.assert_array_equal(first, last)


def test_one_value_of_channels_last():
    samples = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    samples[0, 1, 0, 2] = 255  # row 1, column 0, third channel
    given = Preprocessing(255.0, (0.0, 0.0, 0.5), (1.0, 1.0, 0.25), "NHWC").apply(samples, (3, 2, 2))
    assert given[0, 2].tolist() == [[-2.0, -2.0], [2.0, -2.0]]
    assert not given[0, :2].any()


def test_grey_images():
    samples = np.array([[[0, 16], [8, 4]]], dtype=np.uint8)
    given = Preprocessing(16.0, layout="NHW").apply(samples, (1, 2, 2))
    assert given.tolist() == [[[[0.0, 1.0], [0.5, 0.25]]]]


def test_sequences():
    samples = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    given = Preprocessing(1.0, (1.0, 4.0), (1.0, 2.0), "NCL").apply(samples, (2, 1, 3))
    assert given.tolist() == [[[[0.0, 1.0, 2.0]], [[0.0, 0.5, 1.0]]]]


def test_vectors():
    given = Preprocessing(2.0, layout="NF").apply(np.array([[2, 4, 6]], dtype=np.int16), (3, 1, 1))
    assert given.tolist() == [[[[1.0]], [[2.0]], [[3.0]]]]


def test_one_mean_for_all_channels(pixels):
    given = Preprocessing(255.0, (0.5,), (0.5,)).apply(pixels, (3, 4, 6))
    assert given.min() >= -1
    assert given[pixels == 255].tolist() == [1.0] * int((pixels == 255).sum())


@pytest.mark.parametrize(
    ("layout", "shape", "input_shape"),
    [
        ("NCHW", (2, 3, 4), (3, 4, 1)),
        ("NHW", (2, 1, 4, 4), (1, 4, 4)),
        ("NCHW", (2, 4, 4, 3), (3, 4, 4)),
        ("NHWC", (2, 3, 4, 4), (3, 4, 4)),
        ("NHW", (2, 4, 5), (1, 5, 4)),
        ("NHW", (2, 4, 4), (3, 4, 4)),
        ("NF", (2, 5), (4, 1, 1)),
        ("NCL", (2, 3, 4), (4, 1, 3)),
    ],
)
def test_samples_that_do_not_fit(layout, shape, input_shape):
    with pytest.raises(DataFileError) as caught:
        Preprocessing(layout=layout).apply(np.zeros(shape), input_shape)
    assert layout in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite(bad):
    samples = np.zeros((2, 1, 2, 2))
    samples[1, 0, 1, 1] = bad
    with pytest.raises(DataFileError, match="NaN or infinity"):
        Preprocessing().apply(samples, (1, 2, 2))


@pytest.mark.filterwarnings("error")
def test_samples_beyond_single_precision_are_an_error_and_no_warning():
    with pytest.raises(DataFileError, match="NaN or infinity"):
        Preprocessing().apply(np.full((1, 1, 1, 1), 1e300), (1, 1, 1))


@pytest.mark.parametrize(
    "fields",
    [
        {"scale": 0.0},
        {"scale": float("nan")},
        {"scale": float("inf")},
        {"mean": ()},
        {"std": ()},
        {"std": (0.0,)},
        {"std": (1.0, 0.0, 1.0)},
        {"mean": (float("nan"),)},
        {"layout": "CHWN"},
    ],
    ids=str,
)
def test_senseless_preprocessing(fields):
    with pytest.raises(NmdeployError):
        Preprocessing(**fields)


@pytest.mark.parametrize("fields", [{"mean": (0.0, 0.0)}, {"std": (1.0, 1.0, 1.0, 1.0)}], ids=str)
def test_wrong_number_of_channels(fields):
    with pytest.raises(NmdeployError, match="3 input channels"):
        Preprocessing(**fields).apply(np.zeros((1, 3, 2, 2)), (3, 2, 2))
