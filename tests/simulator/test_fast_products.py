"""The compiled kernels against torch's double-precision convolution, and that each one is really used."""

import tracemalloc

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mapping.connectivity import Connectivity, tap_table
from nmdeploy.simulator.fast_products import FastProduct, int8_convolution_works


def convolution(channels, out, kernel, *, stride=1, padding=1, groups=1, size=9):
    target = (size + 2 * padding - kernel) // stride + 1
    table = tap_table(size, target, kernel, stride, padding)
    return Connectivity((channels, size, size), (out, target, target), table, table, (0, channels), (0, out), groups)


def expected(connectivity, weights, shift, spikes, stride, padding):
    images = torch.from_numpy(spikes.astype(np.float64)).permute(0, 3, 1, 2)
    kernel = torch.from_numpy(weights.astype(np.float64)) * 2.0**shift
    sums = F.conv2d(images, kernel, stride=stride, padding=padding, groups=connectivity.groups)
    return sums.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize(
    ("weights_range", "step", "binary", "kernel"),
    [
        ((-127, 128), 2, True, "int8 convolution"),
        ((-127, 128), 1, True, "int8 convolution"),
        ((-127, 128), 2, False, "int8 convolution"),
        ((-127, 128), 63, True, "int8 convolution"),
        ((-127, 128), 28, True, "int8 convolution"),
        ((-127, 128), 63, False, "int8 convolution"),
        ((-255, 256), 1, True, "float32 convolution"),
        ((-255, 256), 1, False, "float32 convolution"),
    ],
)
@pytest.mark.parametrize(("stride", "padding", "groups"), [(1, 1, 1), (2, 1, 1), (1, 0, 2), (2, 2, 4), (4, 2, 1)])
def test_convolutions(weights_range, step, binary, kernel, stride, padding, groups):
    if kernel == "int8 convolution" and not int8_convolution_works(0 if binary else 1):
        pytest.skip("this torch has no exact 8-bit convolution")
    random = np.random.default_rng(stride * 10 + groups)
    connectivity = convolution(8, 12, 3, stride=stride, padding=padding, groups=groups)
    weights = (random.integers(*weights_range, connectivity.weight_shape) * step).astype(np.int32)
    weights.flat[:2] = np.array([weights_range[0], weights_range[0] + 1]) * step
    product = FastProduct(connectivity, weights, 3, binary=binary)
    assert product.dense_kernel_name == kernel
    spikes = random.integers(0 if binary else -1, 2, (5, 9, 9, 8)).astype(np.int8)
    np.testing.assert_array_equal(product(spikes), expected(connectivity, weights, 3, spikes, stride, padding))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("before", [0, 2, -1])
def test_a_border_on_one_side(binary, before):
    """Windows of two at stride 1, as many as there are places: zeros behind, or in front, or a row that none reads."""
    random = np.random.default_rng(before + 9)
    tables = [tap_table(size, size, 2, 1, before) for size in (7, 6)]
    connectivity = Connectivity((8, 7, 6), (12, 7, 6), *tables, (0, 8), (0, 12))
    weights = random.integers(-127, 128, connectivity.weight_shape).astype(np.int32)
    spikes = random.integers(0 if binary else -1, 2, (5, 7, 6, 8)).astype(np.int8)
    edges = (before, 1 - before, before, 1 - before)
    images = F.pad(torch.from_numpy(spikes.astype(np.float64)).permute(0, 3, 1, 2), edges)
    wanted = F.conv2d(images, torch.from_numpy(weights.astype(np.float64))).permute(0, 2, 3, 1).numpy()
    product = FastProduct(connectivity, weights, 0, binary=binary)
    assert product.dense_kernel_name == "int8 convolution" or not int8_convolution_works(0 if binary else 1)
    np.testing.assert_array_equal(product(spikes), wanted)


@pytest.mark.parametrize("binary", [True, False])
def test_spikes_of_both_signs_need_room_for_their_zero_point(binary):
    """50,000 weights of 127 and spikes counted from -1: sums up to three times as large pass 2^24 on the way."""
    places = np.arange(2, dtype=np.int32)[:, None]
    connectivity = Connectivity((50_000, 2, 1), (1, 2, 1), places, places[:1], (0, 50_000), (0, 1))
    weights = np.full(connectivity.weight_shape, 127, dtype=np.int32)
    product = FastProduct(connectivity, weights, 0, binary=binary)
    if int8_convolution_works(0):
        assert product.dense_kernel_name == ("int8 convolution" if binary else "float32 convolution")
    spikes = np.ones((1, 2, 1, 50_000), dtype=np.int8)
    spikes[0, 1, 0, ::3] = 0 if binary else -1
    wanted = 127 * spikes.astype(int).sum(axis=3)
    np.testing.assert_array_equal(product(spikes)[..., 0], wanted)


def test_sums_beyond_float32_are_gathered_in_float64():
    """Sums of 2^17 weights of 255 pass 2^24, where float32 loses odd numbers."""
    size = 2**17
    one = np.zeros((1, 1), dtype=np.int32)
    connectivity = Connectivity((size, 1, 1), (1, 1, 1), one, one, (0, size), (0, 1))
    weights = np.full((1, size, 1, 1), 255, dtype=np.int32)
    weights[0, 0] = 254
    product = FastProduct(connectivity, weights, 0, binary=True)
    assert product.dense_kernel_name == "gathered"
    spikes = np.ones((1, 1, 1, size), dtype=np.int8)
    assert product(spikes)[0, 0, 0, 0] == 255 * size - 1


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("channels", "outputs", "largest", "kernel"),
    [(4, 5, 9, "matrix product"), (64, 10, 127, "int8 convolution"), (64, 10, 1000, "matrix product")],
)
def test_dense_layers_are_products_of_8_bits_where_large_and_else_of_float32(
    channels, outputs, largest, kernel, binary
):
    random = np.random.default_rng(1)
    tables = [np.arange(size, dtype=np.int32)[None] for size in (3, 2)]
    connectivity = Connectivity((channels, 3, 2), (outputs, 1, 1), *tables, (0, channels), (0, outputs))
    weights = random.integers(-largest, largest + 1, connectivity.weight_shape).astype(np.int32)
    product = FastProduct(connectivity, weights, 1, binary=binary)
    assert product.dense_kernel_name == kernel
    spikes = random.integers(0 if binary else -1, 2, (6, 3, 2, channels)).astype(np.int8)
    wanted = 2 * np.einsum("nyxc,ocyx->no", spikes.astype(np.int64), weights)
    np.testing.assert_array_equal(product.multiply(spikes)[:, 0, 0], wanted)


@pytest.mark.parametrize(("largest", "kernel"), [(1, "int8 convolution"), (1001, "matrix product")])
def test_the_weights_are_kept_once_besides_the_network(largest, kernel):
    """As the matrix of the kernel, no larger than they are; a copy in int64 would be twice that."""
    one = np.zeros((1, 1), dtype=np.int32)
    connectivity = Connectivity((512, 1, 1), (256, 1, 1), one, one, (0, 512), (0, 256))
    weights = np.ones(connectivity.weight_shape, dtype=np.int32)
    weights[0, 0] = largest
    tracemalloc.start()
    product = FastProduct(connectivity, weights, 1, binary=True)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert product.dense_kernel_name == kernel
    assert kept < 1.5 * weights.nbytes
