"""The figures that Spiking-YOLO's energy comparison starts from, as published."""

from __future__ import annotations

PAPER = "Kim, Park, Na, Yoon: Spiking-YOLO, AAAI 2020, arXiv 1903.06530"
QUOTED = f"{PAPER}; quoted, the text of the paper was not opened"
TRUENORTH = (
    "Merolla et al., Science 345 (2014) 668: up to 400 billion synaptic operations per second and watt; quoted, the "
    "text of the paper was not opened"
)

FLOP = 6.97e9
"""Of the trained network."""
LAYER_NORM_OPERATIONS = 5.28e7
"""Of the spiking network under layer-wise norm."""
CHANNEL_NORM_OPERATIONS = 4.90e7
"""Of the spiking network under channel-wise norm."""
CHANNEL_NORM_TIMESTEPS = 3500
STEP_S = 1e-3
GPU_FLOP_PER_S = 14e12
GPU_POWER_W = 250.0
TRUENORTH_OPERATIONS_PER_J = 400e9
TRUENORTH_CLAIM = 280
"""Times less energy than the GPU, about."""
ARITHMETIC_CLAIM = 2000
"""Times less energy than the trained network, about."""
