"""What mappers have in common that count shapes and quantise nothing."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from nmdeploy.advise.mapped import Troubles
from nmdeploy.layers.graph import LayerGraph

M = TypeVar("M", bound="ShapeMapper")


class ShapeMapper:
    """A mapper without a choice of weights, by which no sum is split."""

    @property
    def bits(self) -> None:
        """Weights have no width, or the one of the chip."""

    @property
    def fewer_bits(self) -> tuple[int, ...]:
        """There are no narrower weights."""
        return ()

    def coarsest(self) -> None:
        """Shapes alone decide how many inputs there are."""

    def with_bits(self: M, bits: int) -> M:
        """There are no narrower weights."""
        return self

    def with_split_fan_in(self) -> None:
        """Nothing is summed in parts."""

    def troubles(self, layers: LayerGraph, names: Collection[str] | None = None) -> Troubles:
        """Nothing that mapping does not say as fast."""
        return Troubles()
