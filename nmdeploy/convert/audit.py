"""What became of every activation of the trained network."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class AuditEntry:
    """One activation, pooling or output function of the trained network.

    Attributes
    ----------
    layer : str
        Its name in the layer graph.
    operator : str
        ReLU, LeakyReLU, MaxPool, Softmax, ...
    location : str
        ``file:line`` in the user's source, or "".
    replaced_by : tuple of str
        Populations that compute it; empty if it was absorbed.
    how : str
        In words: what replaces it and whether that is exact.
    exact : bool
        Whether the float network computed by the populations is the trained one. (Rates of spikes are approximate
        always.)
    """

    layer: str
    operator: str
    location: str
    replaced_by: tuple[str, ...]
    how: str
    exact: bool = True


@dataclass(frozen=True)
class ConversionAudit:
    """Every activation of the trained network, in topological order, and notes on the conversion.

    Attributes
    ----------
    entries : tuple of AuditEntry
    activations_total : int
        Activation layers counted in the layer graph, independently of `entries`.
    notes : tuple of str
        Warnings: dead channels, missing calibration data.
    """

    entries: tuple[AuditEntry, ...]
    activations_total: int
    notes: tuple[str, ...] = ()

    @property
    def activations_converted(self) -> int:
        """Activations that have an entry."""
        return len(self.entries)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "activations_converted": self.activations_converted,
            "activations_total": self.activations_total,
            "entries": [asdict(entry) for entry in self.entries],
            "notes": list(self.notes),
        }
