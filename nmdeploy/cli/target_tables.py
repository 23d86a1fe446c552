"""What the profiles say, as rows of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pydantic import BaseModel

from hw_profiles import ChipProfile, HardwareProfile
from hw_profiles.analog_profile import AnalogProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from hw_profiles.layer_core_profile import LayerCoreProfile
from hw_profiles.profile import CoreLimits, ListedCore
from hw_profiles.quantities import Choice, Flag, Models, Quantity, Sourced

FigureRow = tuple[str, str, str, str, str]
MESH_PROFILES = (HardwareProfile, CrossbarProfile)
UNITS = ("bytes", "bits", "words", "entries", "synapses", "steps")


def figure_rows(prefix: str, model: BaseModel) -> list[FigureRow]:
    """Name, value, unit, status and source of every figure; "none" for what the chip does not have or limit."""
    return [row for field, value in model for row in _rows(prefix, field, value)]


def _rows(prefix: str, field: str, value: object) -> Iterator[FigureRow]:
    what = prefix + field
    if value is None:
        yield what, "none", "", "", ""
    elif isinstance(value, ListedCore):
        chip = "every chip" if value.chip is None else f"chip {value.chip}"
        yield what, f"{chip} ({value.x},{value.y}) slot {value.slot}", "", value.status, value.source
    elif isinstance(value, Sourced) and _shown(value) is not None:
        yield what, str(_shown(value)), _unit(field), value.status, value.source
    elif isinstance(value, BaseModel):
        yield from figure_rows(f"{what}.", value)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _rows(f"{what}.", str(index), item)


def _shown(value: Sourced) -> str | None:
    if isinstance(value, Quantity):
        return str(value.value)
    if isinstance(value, Flag):
        return "yes" if value.value else "no"
    if isinstance(value, Choice):
        return ", ".join(map(str, value.values))
    if isinstance(value, Models):
        return ", ".join(value.names)
    return None


def _unit(field: str) -> str:
    """The unit that the name of a figure tells; a number of the things that it names has none."""
    if field.startswith("delay_"):
        return "steps"
    return next((unit for unit in UNITS if unit in field.split("_")), "")


def support(profile: ChipProfile) -> dict[str, object]:
    """What can be done for a target, as JSON."""
    return {
        "cores_per_chip": cores_per_chip(profile),
        "core_holds": core_contents(profile),
        "neuron_models": list(profile.neuron_models.names) if isinstance(profile, MESH_PROFILES) else [],
        "compile": compile_support(profile),
    }


def target_rows(profile: ChipProfile) -> tuple[str, ...]:
    """One row of the list of targets."""
    statuses = Counter(status for *_, status, _ in figure_rows("", profile) if status)
    neurons = ", ".join(profile.neuron_models.names) if isinstance(profile, MESH_PROFILES) else "its own"
    return (
        f"{profile.name}: {profile.title}",
        _cores(profile),
        core_contents(profile),
        neurons,
        compile_support(profile),
        ", ".join(f"{count} {status}" for status, count in statuses.most_common()),
    )


def _cores(profile: ChipProfile) -> str:
    """Cores of a chip; how many of them software may use, if fewer."""
    cores = f"{cores_per_chip(profile):,} a chip"
    usable = profile.mesh.usable_cores_per_chip if isinstance(profile, MESH_PROFILES) else None
    return cores if usable is None else f"{cores}, {usable.value:,} usable"


def cores_per_chip(profile: ChipProfile) -> int:
    """Cores of one chip, those that must not be used counted."""
    if isinstance(profile, MESH_PROFILES):
        return profile.mesh.cores_per_chip
    return len(profile.cores) if isinstance(profile, LayerCoreProfile) else 1


def core_contents(profile: ChipProfile) -> str:
    """What a core can hold, in words."""
    if isinstance(profile, HardwareProfile):
        return _limits(profile.core_limits)
    if isinstance(profile, LayerCoreProfile):
        neurons = [core.neuron_entries.value for core in profile.cores]
        kernels = [core.kernel_entries.value for core in profile.cores]
        return (
            f"one layer: {min(neurons):,} to {max(neurons):,} neuron and {min(kernels):,} to {max(kernels):,} "
            "kernel entries"
        )
    if isinstance(profile, CrossbarProfile):
        return f"{profile.crossbar.neurons.value} neurons, {profile.crossbar.axons.value} axons"
    synapses = profile.plastic_synapses.synapses.value + profile.programmable_synapses.synapses.value
    return f"{profile.neurons.value} neurons, {synapses:,} synapses, all analog"


def _limits(limits: CoreLimits) -> str:
    """The limits that networks meet first."""
    named = {
        "compartments": "compartments",
        "input_axons": "input axons",
        "synapse_memory_words": "words of synapses",
        "memory_bytes": "bytes of memory",
        "synapse_row_bytes": "bytes of synapse rows",
    }
    values = {label: getattr(limits, field) for field, label in named.items()}
    return ", ".join(f"{value.value:,} {label}" for label, value in values.items() if value is not None)


def compile_support(profile: ChipProfile) -> str:
    """Whether networks can be compiled for a target."""
    if isinstance(profile, AnalogProfile):
        return "mapping only: neurons and synapses"
    if isinstance(profile, LayerCoreProfile):
        return "mapping only: layers to cores"
    return "yes"
