"""From the float spiking network to the integers of a chip."""

from nmdeploy.quantize.quantize import QuantizationOptions, quantize

__all__ = ["QuantizationOptions", "quantize"]
