"""The data model of a chip profile: limits, number formats, mesh, each number with its source."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError, model_validator

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Status = Literal["published", "derived", "assumed"]
Source = Annotated[str, Field(min_length=1)]


class ProfileError(ValueError):
    """A profile is missing, unreadable or invalid."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quantity(_Strict):
    """One integer of a profile with where it comes from."""

    value: StrictInt
    status: Status
    source: Source


class Count(Quantity):
    """A quantity that may be 0 but not negative."""

    value: Annotated[StrictInt, Field(ge=0)]


class Capacity(Quantity):
    """A quantity of at least 1."""

    value: Annotated[StrictInt, Field(ge=1)]


class Choice(_Strict):
    """A list of allowed values of a profile with where it comes from."""

    values: tuple[StrictInt, ...]
    status: Status
    source: Source


class Flag(_Strict):
    """A property that a chip has or has not, with where that comes from."""

    value: StrictBool
    status: Status
    source: Source


class Models(_Strict):
    """Names of the neuron models or reset modes that a chip has, with where the list comes from."""

    names: tuple[str, ...]
    status: Status
    source: Source


class Mesh(_Strict):
    """Cores of one chip as routers on a grid, and how many chips one system can hold."""

    routers_x: Capacity
    routers_y: Capacity
    cores_per_router: Capacity
    chips: Capacity

    @property
    def cores_per_chip(self) -> int:
        """Number of cores of one chip."""
        return self.routers_x.value * self.routers_y.value * self.cores_per_router.value


class CoreLimits(_Strict):
    """Capacities of one core; a demand equal to the value is legal, one more is not.

    A chip that has no such resource, or no limit of it, has no such entry. What each one counts says
    `mapping.tiles.Demands`.
    """

    compartments: Capacity | None = None
    input_axons: Capacity | None = None
    output_axon_entries: Capacity | None = None
    synapse_memory_words: Capacity | None = None
    words_per_axon_list: Capacity | None = None
    synapse_formats: Capacity | None = None
    compartment_configurations: Capacity | None = None
    threshold_configurations: Capacity | None = None
    memory_bytes: Capacity | None = None
    synapse_row_bytes: Capacity | None = None
    synapses_per_row: Capacity | None = None


class CoreCosts(_Strict):
    """What one neuron takes of a core's capacities."""

    compartments_per_neuron_zero_reset: Capacity
    compartments_per_neuron_subtractive_reset: Capacity
    reset_synapses_per_subtractive_neuron: Count


class OutputAxons(_Strict):
    """Output axon entries that a source neuron takes for one target core, of chips whose cores hold such entries."""

    entries_per_target_core: Capacity
    entries_extra_off_chip: Count


class SynapseLists(_Strict):
    """How lists of synapses are packed into words, of chips that keep them so."""

    word_bits: Capacity
    synapses_per_entry: Capacity
    entry_prefix_bits: Count
    list_spare_bits: Count


class SynapseRows(_Strict):
    """Bytes of a row of synapses, one for each source neuron of a core, of chips that keep them so."""

    header_bytes: Count
    bytes_per_synapse: Capacity


class MemoryCosts(_Strict):
    """What takes of ``core_limits.memory_bytes``, the memory beside each core.

    ``fixed_bytes``, whatever runs there; for each neuron ``bytes_per_neuron`` and ``bytes_per_value`` for each value
    that it keeps (see `mapping.tiles.Demands`); ``bytes_per_input_axon``; and ``bytes_per_synapse_word`` for each word
    of synapse memory, where that is part of the same memory.
    """

    fixed_bytes: Count
    bytes_per_neuron: Count
    bytes_per_value: Capacity
    bytes_per_input_axon: Count
    bytes_per_synapse_word: Count


class NumberFormats(_Strict):
    """Fields in which weights, thresholds, biases, delays and states are held.

    A weight mantissa ``w`` with exponent ``e`` is delivered as ``w * 2**(synapse_exponent + e)``; a threshold
    mantissa ``m`` stands for ``m * 2**threshold_exponent``; a bias for ``mantissa * 2**exponent``: all in the
    unit of the membrane potential.

    `weights_at_top` says where weights of fewer bits than the mantissa has stand in it: shifted to its top, so that
    they are multiples of a step, or at its bottom. `product_bits` is the width of what a program of neurons can
    multiply, sign included: the potential times a step, and a slope times the input; absent where neurons cannot
    multiply.
    """

    weight_bits: Choice
    weight_mantissa_bits: Capacity
    weights_at_top: Flag
    mixed_sign_lost_bits: Count
    weight_exponent_min: Quantity
    weight_exponent_max: Quantity
    synapse_exponent: Quantity
    threshold_mantissa_max: Capacity
    threshold_exponent: Count
    bias_mantissa_max: Count
    bias_exponent_max: Count
    state_bits: Capacity
    product_bits: Capacity | None = None

    @model_validator(mode="after")
    def _weights_fit_the_mantissa(self) -> NumberFormats:
        widest = max(self.weight_bits.values, default=0)
        if widest > self.weight_mantissa_bits.value:
            raise ValueError(f"weights of {widest} bits in a mantissa of {self.weight_mantissa_bits.value}")
        return self
    delay_max: Count

    @property
    def state_max(self) -> int:
        """Largest magnitude of the membrane potential, where it saturates."""
        return int(2 ** (self.state_bits.value - 1) - 1)

    @property
    def product_max(self) -> int | None:
        """Largest magnitude of a product; None where neurons cannot multiply."""
        return None if self.product_bits is None else int(2 ** (self.product_bits.value - 1) - 1)

    def mantissa_step(self, bits: int) -> int:
        """Difference of neighbouring weight mantissas of so many bits, the bits lost to mixed signs not counted."""
        return 1 << (self.weight_mantissa_bits.value - bits) if self.weights_at_top.value else 1


class HardwareProfile(_Strict):
    """A chip as data; what a chip does not have is absent."""

    name: str
    title: str
    notes: str
    mesh: Mesh
    core_limits: CoreLimits
    core_costs: CoreCosts
    output_axons: OutputAxons | None = None
    synapse_lists: SynapseLists | None = None
    synapse_rows: SynapseRows | None = None
    memory_costs: MemoryCosts | None = None
    number_formats: NumberFormats
    neuron_models: Models
    reset_modes: Models
    signed_spikes: Flag

    @model_validator(mode="after")
    def _limits_have_costs(self) -> HardwareProfile:
        """A limit whose costs are missing would never be reached, and a core without limits never be full."""
        limits = self.core_limits
        for limit, costs in (
            ("output_axon_entries", "output_axons"),
            ("synapse_memory_words", "synapse_lists"),
            ("words_per_axon_list", "synapse_lists"),
            ("synapse_row_bytes", "synapse_rows"),
            ("synapses_per_row", "synapse_rows"),
            ("memory_bytes", "memory_costs"),
        ):
            if getattr(limits, limit) is not None and getattr(self, costs) is None:
                raise ValueError(f"core_limits.{limit} needs [{costs}]")
        if limits.compartments is None and limits.memory_bytes is None:
            raise ValueError("core_limits needs compartments or memory_bytes")
        return self


def available_profiles() -> list[str]:
    """Names of the profiles that come with the package, sorted."""
    files = resources.files("hw_profiles").joinpath("chips").iterdir()
    return sorted(file.name[: -len(".toml")] for file in files if file.name.endswith(".toml"))


def profile_text(target: str) -> str:
    """The TOML text of a profile.

    Parameters
    ----------
    target : str
        Name of a profile of the package, or path of a TOML file.

    Raises
    ------
    ProfileError
        No profile has this name, or the file cannot be read.
    """
    if target in available_profiles():
        chips = resources.files("hw_profiles").joinpath("chips")
        return chips.joinpath(f"{target}.toml").read_text(encoding="utf-8")
    path = Path(target)
    if path.suffix != ".toml":
        names = ", ".join(available_profiles())
        raise ProfileError(f"unknown target '{target}'. Known targets: {names}; or give a path to a .toml file.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"profile {path}: cannot be read: {error}") from error


def parse_profile(text: str, where: str) -> HardwareProfile:
    """Parse and validate the TOML text of a profile.

    Parameters
    ----------
    text : str
        TOML.
    where : str
        Name or path used in error messages.

    Raises
    ------
    ProfileError
        The text is no TOML, or a field is missing, unknown or of the wrong type; all of them are listed.
    """
    try:
        return HardwareProfile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"profile {where}: not valid TOML: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise ProfileError(f"profile {where}: " + "; ".join(lines)) from error


def load_profile(target: str) -> HardwareProfile:
    """Load a profile by name or path; see `profile_text` and `parse_profile`."""
    return parse_profile(profile_text(target), target)
