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
class SumEntry:
    """How the inputs of a population are summed on a chip of crossbars.

    Attributes
    ----------
    population : str
    exact : bool
        Whether a core sums all inputs of a neuron.
    parts : int
        Partial sums that it is made of if not; else 1.
    bound_spikes : float
        By how many spikes of the population its input may be off once all partial sums are sent, in the channel where
        that is most; 0 where exact. See `nmdeploy.crossbar.deviation`.
    mean_deviation_spikes, largest_deviation_spikes : float
        By how many it was, at the end of the window, over all neurons and held-out samples.
    unsent_share : float
        Share of partial sums that had not been sent in full by then.
    """

    population: str
    exact: bool
    parts: int = 1
    bound_spikes: float = 0.0
    mean_deviation_spikes: float = 0.0
    largest_deviation_spikes: float = 0.0
    unsent_share: float = 0.0


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
    sums : tuple of SumEntry
        Of the populations on a chip of crossbars.
    """

    entries: tuple[AuditEntry, ...]
    activations_total: int
    notes: tuple[str, ...] = ()
    sums: tuple[SumEntry, ...] = ()

    @property
    def approximate_layers(self) -> list[str]:
        """Layers whose replacement is not the trained function, and populations that are summed in parts."""
        layers = [entry.layer for entry in self.entries if not entry.exact]
        return layers + [entry.population for entry in self.sums if not entry.exact]

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
            "sums": [asdict(entry) for entry in self.sums],
        }
