"""What the options of `nmdeploy compile` can be, as lists of words."""

from __future__ import annotations

from enum import Enum


class Thresholds(str, Enum):
    """How many thresholds a population has."""

    channel = "channel"
    layer = "layer"


class ResetMode(str, Enum):
    """What a spike does to the membrane potential."""

    subtract = "subtract"
    zero = "zero"


class Neurons(str, Enum):
    """What activations become."""

    auto = "auto"
    plain = "if"
    imbalanced = "imbalanced"
    signed = "signed"
    paced = "paced"


class Releases(str, Enum):
    """When neurons with a count memory take a spike back."""

    never = "never"
    half = "half"
    threshold = "threshold"


class Compensations(str, Enum):
    """Layer-wise error compensation."""

    auto = "auto"
    none = "none"
    bias = "bias"
    gain = "gain"


class WeightRoundings(str, Enum):
    """How weights become whole numbers."""

    nearest = "nearest"
    least_squares = "least-squares"
    gptq = "gptq"


class Decodings(str, Enum):
    """What outputs are read from."""

    by_membrane = "membrane"
    by_count = "count"


class Objectives(str, Enum):
    """What placement minimises."""

    hops = "hops"
    congestion = "congestion"
    energy = "energy"


class Efforts(str, Enum):
    """How long placement tries."""

    none = "none"
    low = "low"
    normal = "normal"
    high = "high"
