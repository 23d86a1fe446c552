"""How well decoded outputs follow the labels and the float network, added up over batches of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """How well a network did.

    Attributes
    ----------
    accuracy : float or None
        Share of the samples decided as labelled; None without labels, or where outputs decide nothing.
    agreement : float or None
        Share of the samples decided as by the float network; None where outputs decide nothing.
    error : float or None
        ``|decoded - reference| / |reference|`` (l2 over all outputs and samples); None for a reference of zeros.
    output_errors : dict of population name to float or None
        The same for each output population by itself.
    """

    accuracy: float | None
    agreement: float | None
    error: float | None
    output_errors: dict[str, float | None]


def decides(network: ChipNetwork) -> bool:
    """Whether the largest output is a decision: there is one output, and it is a vector, not a map."""
    outputs = network.outputs
    return len(outputs) == 1 and outputs[0].shape[1:] == (1, 1)


class Tally:
    """Sums that a `Score` is made of.

    Parameters
    ----------
    network : ChipNetwork
    """

    def __init__(self, network: ChipNetwork) -> None:
        self._decides = decides(network)
        self._names = [population.name for population in network.outputs]
        self._ends = np.cumsum([population.neuron_count for population in network.outputs])
        self._samples = 0
        self._same = 0
        self._correct: int | None = 0
        self._errors = np.zeros(len(self._names))
        self._powers = np.zeros(len(self._names))

    def add(self, decoded: FloatArray, reference: NDArray[np.float32], labels: NDArray[np.int64] | None) -> None:
        """Count a batch of samples.

        Parameters
        ----------
        decoded : float64 array, (samples, outputs)
        reference : float32 array, (samples, outputs)
            Of the float network.
        labels : int64 array, (samples,), optional
            For all batches or for none.
        """
        decisions = decoded.argmax(axis=1)
        self._samples += len(decoded)
        self._same += int((decisions == reference.argmax(axis=1)).sum())
        if labels is None or self._correct is None:
            self._correct = None
        else:
            self._correct += int((decisions == labels).sum())
        expected = reference.astype(np.float64)
        starts = [0, *self._ends[:-1]]
        self._errors += np.add.reduceat(((decoded - expected) ** 2).sum(axis=0), starts)
        self._powers += np.add.reduceat((expected**2).sum(axis=0), starts)

    def score(self) -> Score:
        """Of all batches, of which there must be one."""
        correct = self._correct if self._decides else None
        errors = [_relative(*sums) for sums in zip(self._errors, self._powers, strict=True)]
        return Score(
            accuracy=None if correct is None else correct / self._samples,
            agreement=self._same / self._samples if self._decides else None,
            error=_relative(float(self._errors.sum()), float(self._powers.sum())),
            output_errors=dict(zip(self._names, errors, strict=True)),
        )


def _relative(error: float, power: float) -> float | None:
    return math.sqrt(error / power) if power > 0 else None
