"""The data model of a chip profile: limits, number formats, mesh, each number with its source."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

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
    """Capacities of one core; a demand equal to the value is legal, one more is not."""

    compartments: Capacity
    input_axons: Capacity
    output_axon_entries: Capacity
    synapse_memory_words: Capacity
    synapse_memory_word_bits: Capacity
    words_per_axon_list: Capacity
    synapse_formats: Capacity
    compartment_configurations: Capacity
    threshold_configurations: Capacity


class CoreCosts(_Strict):
    """What one neuron, axon or synapse takes of a core's capacities."""

    compartments_per_neuron_zero_reset: Capacity
    compartments_per_neuron_subtractive_reset: Capacity
    reset_synapses_per_subtractive_neuron: Count
    output_entries_per_target_core: Capacity
    output_entries_extra_off_chip: Count
    synapses_per_entry: Capacity
    entry_prefix_bits: Count
    axon_list_spare_bits: Count


class NumberFormats(_Strict):
    """Fields in which weights, thresholds, biases, delays and states are held.

    A weight mantissa ``w`` with exponent ``e`` is delivered as ``w * 2**(synapse_exponent + e)``; a threshold
    mantissa ``m`` stands for ``m * 2**threshold_exponent``; a bias for ``mantissa * 2**exponent``: all in the
    unit of the membrane potential.
    """

    weight_bits: Choice
    weight_mantissa_bits: Capacity
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
    delay_max: Count

    @property
    def state_max(self) -> int:
        """Largest magnitude of the membrane potential, where it saturates."""
        return int(2 ** (self.state_bits.value - 1) - 1)


class HardwareProfile(_Strict):
    """A chip as data."""

    name: str
    title: str
    notes: str
    mesh: Mesh
    core_limits: CoreLimits
    core_costs: CoreCosts
    number_formats: NumberFormats
    neuron_models: Models
    reset_modes: Models


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
