"""Whether the neurons and synapses of a network are there on an analog chip: all that can be said without integers."""

from __future__ import annotations

from dataclasses import dataclass

from hw_profiles.analog_profile import AnalogProfile
from mapping.violation import DoesNotFitError, Violation


@dataclass(frozen=True)
class AnalogPopulation:
    """Neurons of a network.

    Attributes
    ----------
    name : str
    neurons : int
    synapses_per_neuron : int
        Most source neurons, or inputs, that one of its neurons reads.
    """

    name: str
    neurons: int
    synapses_per_neuron: int


def synapses_per_neuron(profile: AnalogProfile) -> int:
    """Synapses of one neuron of the chip, of both kinds."""
    synapses = profile.plastic_synapses.synapses.value + profile.programmable_synapses.synapses.value
    return synapses // profile.neurons.value


def number_neurons(populations: list[AnalogPopulation], profile: AnalogProfile) -> dict[str, tuple[int, int]]:
    """Give every neuron a circuit of its own, in order.

    Parameters
    ----------
    populations : list of AnalogPopulation
    profile : AnalogProfile

    Returns
    -------
    dict of str to (int, int)
        First circuit of each population, and the one after its last.

    Raises
    ------
    DoesNotFitError
        There are too few circuits, or too few synapses for the neurons of a population; lists all.
    """
    violations = []
    circuits, total = profile.neurons.value, sum(population.neurons for population in populations)
    if total > circuits:
        remedy = "Use a smaller network"
        violations.append(Violation("NMD701", "error", "network", "neuron circuits", total, circuits, remedy))
    room = synapses_per_neuron(profile)
    for population in populations:
        if population.synapses_per_neuron > room:
            where, demand = f"population {population.name}", population.synapses_per_neuron
            message, remedy = "synapses of one neuron", "Give it fewer inputs: pool before it, or use more groups"
            violations.append(Violation("NMD702", "error", where, message, demand, room, remedy))
    if violations:
        raise DoesNotFitError(violations)
    numbers: dict[str, tuple[int, int]] = {}
    first = 0
    for population in populations:
        numbers[population.name] = (first, first + population.neurons)
        first += population.neurons
    return numbers
