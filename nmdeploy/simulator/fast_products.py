"""Synaptic input by compiled kernels, equal to `nmdeploy.simulator.products` bit for bit.

Dense kernels, whose time does not depend on the spikes: 8-bit integer convolution with 32-bit sums (oneDNN; several
times the speed of float32), float32 convolution, and float32 matrix product for dense layers. Each is used only where
its sums are proved exact; a projection with index tables that no convolution has keeps the gathering product. Where
spikes are few, they are added one by one instead (`nmdeploy.simulator.event_products`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from math import gcd
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from numpy.typing import NDArray
from torch import Tensor

from mapping.connectivity import Connectivity
from mapping.convolution_geometry import AxisGeometry, axis_geometry, covers_source
from nmdeploy.simulator.event_products import EventProduct
from nmdeploy.simulator.products import FLOAT32_EXACT, Product, exact_dtype

INT8_MAX = 127
Kernel = Callable[[Tensor], Tensor]
# Times on one core, measured by benchmarks/event_products.py; only their ratios matter. Reading the inputs is left out,
# so that dense layers of few outputs take longer than this says.
EVENT_NANOSECONDS = 45.0
ADDITION_NANOSECONDS = 0.06
INT8_NANOSECONDS = 0.003
FLOAT_NANOSECONDS = 0.012
MATRIX_NANOSECONDS = 0.022
INT8_MATRIX_NANOSECONDS = 0.011
CHANNELWISE_NANOSECONDS = 0.2
GATHERED_NANOSECONDS = 0.026
# A dense layer of fewer weights takes less time as a float32 product than as an 8-bit one, for one image and for 128.
FEW_WEIGHTS = 1000


@dataclass(frozen=True)
class DenseKernel:
    """A product with a matrix that spikes do not shorten.

    Attributes
    ----------
    name : str
    apply : callable
        Spikes (samples, source rows, source columns, source channels that take part) to sums.
    mac_nanoseconds : float
        Time of a multiply-accumulate on one core, zeros of the padding included (`benchmarks/event_products.py`).
    """

    name: str
    apply: Kernel
    mac_nanoseconds: float


class FastProduct:
    """The linear map of one projection in membrane units: ``product(spikes) << shift``.

    Parameters
    ----------
    connectivity : Connectivity
    weights : int32 array, `connectivity.weight_shape`
    shift : int
    binary : bool
        Whether spikes are 0 or 1 only; else -1 comes too.
    """

    def __init__(self, connectivity: Connectivity, weights: NDArray[np.int32], shift: int, *, binary: bool) -> None:
        self._connectivity = connectivity
        self._weights = weights
        self._shift = shift
        self._dense = _dense_kernel(connectivity, weights, shift, binary=binary)

    @cached_property
    def _events(self) -> EventProduct:
        delivered = self._weights.astype(np.int64) << self._shift
        dtype = np.float32 if _largest_sum(delivered) < FLOAT32_EXACT else np.float64
        return EventProduct(self._connectivity, delivered, dtype)

    def __call__(self, spikes: NDArray[np.int8]) -> NDArray[np.float32]:
        """Apply to a batch.

        Parameters
        ----------
        spikes : int8 array, (samples, source rows, source columns, source channels)

        Returns
        -------
        float32 or float64 array, (samples, target rows, target columns, out channels)
        """
        return self.add(spikes) if self.adds_events(spikes) else self.multiply(spikes)

    def multiply(self, spikes: NDArray[np.int8]) -> NDArray[np.float32]:
        """As calling it, always with the dense kernel."""
        start, stop = self._connectivity.source_channels
        sums: NDArray[np.float32] = self._dense.apply(torch.from_numpy(spikes)[..., start:stop]).contiguous().numpy()
        return sums

    def add(self, spikes: NDArray[np.int8]) -> NDArray[np.float32]:
        """As calling it, always spike by spike."""
        return self._events(spikes)

    def adds_events(self, spikes: NDArray[np.int8]) -> bool:
        """Whether these spikes are so few that adding them one by one takes less time than the dense kernel."""
        table = self._connectivity
        # of all channels, as counting the ones that take part would copy them
        events = np.count_nonzero(spikes.view(np.bool_)) * table.in_channels / table.source_shape[0]
        return bool(events < self.break_even_events(len(spikes)))

    def break_even_events(self, samples: int) -> float:
        """Spikes in so many samples that take as long one by one as the dense kernel takes."""
        one_event = EVENT_NANOSECONDS + ADDITION_NANOSECONDS * self.fan_out
        return self.macs(samples) * self._dense.mac_nanoseconds / one_event

    def macs(self, samples: int) -> int:
        """Multiply-accumulates of the dense kernel, zeros of the padding included."""
        table = self._connectivity
        taps = table.rows.size * table.columns.size
        return samples * taps * table.out_channels * (table.in_channels // table.groups)

    @property
    def dense_kernel_name(self) -> str:
        """What the dense kernel is."""
        return self._dense.name

    @cached_property
    def fan_out(self) -> float:
        """Mean number of synapses of a source neuron that takes part."""
        _, rows, columns = self._connectivity.source_shape
        return self._connectivity.synapse_count / (self._connectivity.in_channels * rows * columns)


def product_of_one_thread(
    connectivity: Connectivity, weights: NDArray[np.int32], *, binary: bool
) -> Callable[[NDArray[np.int8]], NDArray[np.float32]]:
    """A dense product, in units of the weights, for a process of its own that shall not start threads.

    A forked process in which torch started threads would wait for ever for those of its parent.
    """
    torch.set_num_threads(1)
    return FastProduct(connectivity, weights, 0, binary=binary).multiply


def _dense_kernel(connectivity: Connectivity, weights: NDArray[np.int32], shift: int, *, binary: bool) -> DenseKernel:
    rows = axis_geometry(connectivity.rows, connectivity.source_shape[1])
    columns = axis_geometry(connectivity.columns, connectivity.source_shape[2])
    zero_point = 0 if binary else 1
    wide = _largest_sum(weights) >= FLOAT32_EXACT
    is_matrix = connectivity.groups == 1 and covers_source(connectivity)
    if is_matrix and not wide and (weights.size < FEW_WEIGHTS or not _fits_int8(weights, zero_point)):
        return DenseKernel("matrix product", _matrix_product(_in_float32(weights, shift)), MATRIX_NANOSECONDS)
    if wide or rows is None or columns is None:
        return DenseKernel("gathered", _gathered(connectivity, weights, shift), GATHERED_NANOSECONDS)
    if is_channelwise(connectivity):
        kernel = _channelwise(_in_float32(weights, shift), rows, columns, connectivity)
        return DenseKernel("channelwise", kernel, CHANNELWISE_NANOSECONDS)
    if _fits_int8(weights, zero_point):
        kernel = _int8_convolution(weights, shift, rows, columns, connectivity, zero_point)
        mac_nanoseconds = INT8_MATRIX_NANOSECONDS if is_matrix else INT8_NANOSECONDS
        return DenseKernel("int8 convolution", kernel, mac_nanoseconds)
    kernel = _float_convolution(_in_float32(weights, shift), rows, columns, connectivity)
    return DenseKernel("float32 convolution", kernel, FLOAT_NANOSECONDS)


def _largest_sum(weights: NDArray[Any]) -> int:
    """Magnitude of the largest sum of mantissas; shifting scales sums by a power of two, which stays exact."""
    return int(np.abs(weights.astype(np.int64)).sum(axis=(1, 2, 3)).max())


def _in_float32(weights: NDArray[np.int32], shift: int) -> Tensor:
    """Weights in membrane units, exact where float32 holds every sum of the mantissas."""
    return torch.from_numpy(np.ldexp(weights.astype(np.float32), shift))


def is_channelwise(connectivity: Connectivity) -> bool:
    """Whether each target neuron has one synapse, from the channel of its own: shortcuts."""
    taps = connectivity.rows.shape[1] * connectivity.columns.shape[1]
    return taps == 1 and connectivity.groups == connectivity.in_channels == connectivity.out_channels


def _fits_int8(weights: NDArray[np.int32], zero_point: int) -> bool:
    levels_fit = int(np.abs(weights).max(initial=0)) // _step(weights) <= INT8_MAX
    # of images up to 1 + zero_point, and less what the zero point adds
    sums_fit = (1 + 2 * zero_point) * _largest_sum(weights) < FLOAT32_EXACT
    return levels_fit and sums_fit and int8_convolution_works(zero_point)


def _step(weights: NDArray[np.int32]) -> int:
    """Common divisor of all weights: 2 in a mixed-sign group of 8 bits."""
    return gcd(*np.unique(np.abs(weights)).tolist()) or 1


def _gathered(connectivity: Connectivity, weights: NDArray[np.int32], shift: int) -> Kernel:
    delivered = weights.astype(np.int64) << shift
    product = Product(connectivity, delivered, exact_dtype(delivered, input_max=1))
    start, stop = connectivity.source_channels

    def apply(spikes: Tensor) -> Tensor:
        whole = np.zeros((*spikes.shape[:3], connectivity.source_shape[0]), dtype=np.int8)
        whole[..., start:stop] = spikes.numpy()
        return torch.from_numpy(product(whole))

    return apply


def _matrix_product(weights: Tensor) -> Kernel:
    matrix = weights.permute(2, 3, 1, 0).reshape(-1, len(weights))

    def apply(spikes: Tensor) -> Tensor:
        return (spikes.reshape(len(spikes), len(matrix)).float() @ matrix)[:, None, None, :]

    return apply


def _channelwise(weights: Tensor, rows: AxisGeometry, columns: AxisGeometry, connectivity: Connectivity) -> Kernel:
    of_channels = weights.reshape(-1)
    _, target_rows, target_columns = connectivity.target_shape

    def apply(spikes: Tensor) -> Tensor:
        framed = _framed(spikes.permute(0, 3, 1, 2), rows, columns).permute(0, 2, 3, 1)
        read = framed[:, :: rows.stride, :: columns.stride][:, :target_rows, :target_columns]
        return read * of_channels

    return apply


def _framed(images: Tensor, rows: AxisGeometry, columns: AxisGeometry) -> Tensor:
    """Images (N, C, rows, columns) with the zeros around them, or cut, as the geometry says."""
    edges = (columns.before, columns.after, rows.before, rows.after)
    return F.pad(images, edges) if any(edges) else images


def _own_padding(connectivity: Connectivity, rows: AxisGeometry, columns: AxisGeometry) -> list[int] | None:
    """Zeros on both sides of each axis with which a library's convolution has the right size, if there are any."""
    source, target, taps = connectivity.source_shape[1:], connectivity.target_shape[1:], connectivity.weight_shape[2:]
    for axis, source_size, target_size, tap_count in zip((rows, columns), source, target, taps, strict=True):
        reach = source_size + 2 * axis.before - axis.dilation * (tap_count - 1) - 1
        if axis.before < 0 or reach // axis.stride + 1 != target_size:
            return None
    return [rows.before, columns.before]


def _float_convolution(
    weights: Tensor, rows: AxisGeometry, columns: AxisGeometry, connectivity: Connectivity
) -> Kernel:
    kernel = weights.contiguous(memory_format=torch.channels_last)
    padding = _own_padding(connectivity, rows, columns)

    def apply(spikes: Tensor) -> Tensor:
        images = spikes.permute(0, 3, 1, 2).float()
        sums = F.conv2d(
            images if padding is not None else _framed(images, rows, columns),
            kernel,
            stride=(rows.stride, columns.stride),
            padding=padding or 0,
            dilation=(rows.dilation, columns.dilation),
            groups=connectivity.groups,
        )
        return sums.permute(0, 2, 3, 1)

    return apply


def _int8_convolution(
    weights: NDArray[np.int32],
    shift: int,
    rows: AxisGeometry,
    columns: AxisGeometry,
    connectivity: Connectivity,
    zero_point: int,
) -> Kernel:
    step = _step(weights)
    levels = torch.from_numpy((weights // step).astype(np.int8))
    # oneDNN multiplies by roundings of its scale and of its inverse: exact for powers of two alone
    power = step & -step
    odd = step // power
    padding = _own_padding(connectivity, rows, columns)
    convolution = _Int8Convolution(
        levels,
        unit=float(power * 2.0**shift),
        zero_point=zero_point,
        stride=[rows.stride, columns.stride],
        padding=padding or [0, 0],
        dilation=[rows.dilation, columns.dilation],
        groups=connectivity.groups,
    )

    def apply(spikes: Tensor) -> Tensor:
        images = spikes.permute(0, 3, 1, 2)
        images = images if padding is not None else _framed(images, rows, columns)
        images = images + zero_point if zero_point else images
        sums = convolution(images.view(torch.uint8)).permute(0, 2, 3, 1)
        return sums if odd == 1 else sums.mul_(odd)

    return apply


class _Int8Convolution:
    """oneDNN's convolution of unsigned with signed 8-bit integers, sums in 32-bit integers.

    Parameters
    ----------
    levels : int8 tensor, (O, I/groups, K_rows, K_columns)
    unit : float
        The sums are given as float32 times this, a power of two.
    zero_point : int
        What stands for zero in the images, and fills the border.
    stride, padding, dilation : list of int
    groups : int
    """

    def __init__(
        self,
        levels: Tensor,
        unit: float,
        zero_point: int,
        stride: list[int],
        padding: list[int],
        dilation: list[int],
        groups: int,
    ) -> None:
        self._levels = levels
        self._unit = unit
        self._zero_point = zero_point
        self._geometry = (stride, padding, dilation, groups)
        self._ones = torch.ones(len(levels))
        self._zeros = torch.zeros(len(levels), dtype=torch.int64)
        self._packed: Tensor | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """Images (N, I, rows, columns), uint8, to float32 sums (N, O, rows, columns)."""
        images = images.contiguous(memory_format=torch.channels_last)
        onednn = torch.ops.onednn  # type: ignore[attr-defined]
        if self._packed is None:
            self._packed = onednn.qconv_prepack(
                self._levels, self._ones, self._unit, self._zero_point, *self._geometry, list(images.shape)
            )
        # The unit goes in as the scale of the images: scales of the weights are not applied alike by all versions.
        arguments: tuple[Any, ...] = (
            images,
            self._unit,
            self._zero_point,
            self._packed,
            self._ones,
            self._zeros,
            None,
        )
        sums: Tensor = onednn.qconv2d_pointwise(*arguments, *self._geometry, 1.0, 0, torch.float32, "none", [], "")
        return sums


@cache
def int8_convolution_works(zero_point: int = 0) -> bool:
    """Whether this torch has the 8-bit convolution with exact float32 results, by trying a small one.

    Parameters
    ----------
    zero_point : int
        What stands for zero in the images.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 2 + zero_point, (2, 40, 5, 5), generator=generator, dtype=torch.uint8)
    levels = torch.randint(-INT8_MAX, INT8_MAX + 1, (8, 40, 3, 3), generator=generator, dtype=torch.int8)
    try:
        sums = _Int8Convolution(levels, 2.0, zero_point, [1, 1], [1, 1], [1, 1], 1)(images)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return torch.equal(sums, F.conv2d(images.double() - zero_point, 2.0 * levels.double(), padding=1).float())
