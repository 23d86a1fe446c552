"""Find, read and validate profiles."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hw_profiles.analog_profile import AnalogProfile
from hw_profiles.contradictions import ContradictionError
from hw_profiles.crossbar_profile import CrossbarProfile
from hw_profiles.layer_core_profile import LayerCoreProfile
from hw_profiles.profile import HardwareProfile

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ChipProfile = HardwareProfile | LayerCoreProfile | CrossbarProfile | AnalogProfile

MeshProfile = HardwareProfile | CrossbarProfile
"""Chips whose cores are equal and lie on a mesh."""

KINDS: dict[str, type[ChipProfile]] = {
    "neuron_cores": HardwareProfile,
    "layer_cores": LayerCoreProfile,
    "crossbars": CrossbarProfile,
    "analog": AnalogProfile,
}
"""Data model by the profile's `kind`."""

DEFAULT_KIND = "neuron_cores"


class ProfileError(ValueError):
    """A profile is missing, unreadable or invalid, or of a chip that networks cannot be compiled for."""


def available_targets() -> list[str]:
    """Names of all profiles that come with the package, sorted."""
    files = resources.files("hw_profiles").joinpath("chips").iterdir()
    return sorted(file.name[: -len(".toml")] for file in files if file.name.endswith(".toml"))


def available_profiles() -> list[str]:
    """Names of those of neuron cores, sorted."""
    return [name for name in available_targets() if isinstance(load_target(name), HardwareProfile)]


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
    if target in available_targets():
        chips = resources.files("hw_profiles").joinpath("chips")
        return chips.joinpath(f"{target}.toml").read_text(encoding="utf-8")
    path = Path(target)
    if path.suffix != ".toml":
        names = ", ".join(available_targets())
        raise ProfileError(f"unknown target '{target}'. Known targets: {names}; or give a path to a .toml file.")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"profile {path}: cannot be read: {error}") from error


def model_of(data: dict[str, Any]) -> type[ChipProfile] | None:
    """Data model for the contents of a profile; None if its `kind` is no known one."""
    kind = data.get("kind", DEFAULT_KIND)
    return KINDS.get(kind) if isinstance(kind, str) else None


def mistakes(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Everything that is wrong with the contents of a profile.

    Returns
    -------
    list of (str, str)
        Key with dots, list entries by their number, and what is wrong; empty for a valid profile.
    """
    model = model_of(data)
    if model is None:
        return [("kind", f"{data['kind']!r} is none of {', '.join(KINDS)}")]
    try:
        model.model_validate(data)
    except ValidationError as error:
        found: list[tuple[str, str]] = []
        for item in error.errors():
            cause = item.get("ctx", {}).get("error")
            parts = cause.contradictions if isinstance(cause, ContradictionError) else [("", item["msg"])]
            for key, message in parts:
                found.append((".".join([*map(str, item["loc"]), *([key] if key else [])]), message))
        return found
    return []


def parse_target(text: str, where: str) -> ChipProfile:
    """Parse and validate the TOML text of a profile of any kind.

    Parameters
    ----------
    text : str
        TOML.
    where : str
        Name or path used in error messages.

    Raises
    ------
    ProfileError
        The text is no TOML, or a field is missing, unknown, of the wrong type, or at odds with another; all of them
        are listed.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"profile {where}: not valid TOML: {error}") from error
    found = mistakes(data)
    if found:
        raise ProfileError(f"profile {where}: " + "; ".join(f"{key}: {message}" for key, message in found))
    model = model_of(data)
    assert model is not None
    return model.model_validate(data)


def parse_mesh_profile(text: str, where: str) -> MeshProfile:
    """As `parse_target`, for chips that networks can be compiled for.

    Raises
    ------
    ProfileError
        As `parse_target`, or it is a chip of another kind; says what is missing.
    """
    profile = parse_target(text, where)
    if not isinstance(profile, (HardwareProfile, CrossbarProfile)):
        raise ProfileError(f"target {where} ({profile.title}) cannot be compiled for: {OBSTACLES[profile.kind]}")
    return profile


def parse_profile(text: str, where: str) -> HardwareProfile:
    """As `parse_mesh_profile`, for chips whose cores hold neurons and lists of synapses.

    Raises
    ------
    ProfileError
        As `parse_mesh_profile`, or it is a chip of crossbars.
    """
    profile = parse_mesh_profile(text, where)
    if not isinstance(profile, HardwareProfile):
        raise ProfileError(f"target {where} ({profile.title}) is a chip of crossbars, which have no lists of synapses")
    return profile


OBSTACLES = {
    "layer_cores": (
        "a mapping-only target. `nmdeploy compile` matches whole layers to its cores, but there is no quantiser, "
        "simulator or emission for them yet"
    ),
    "analog": (
        "a mapping-only target. Its neurons and synapses are analog, so that there are no integer formats to quantise "
        "to and nothing to simulate or emit; `nmdeploy compile` says no more than whether they are there"
    ),
}
"""What `compile` lacks for the kinds of chips that it has nothing for."""


def load_target(target: str) -> ChipProfile:
    """Load a profile of any kind by name or path; see `profile_text` and `parse_target`."""
    return parse_target(profile_text(target), target)


def load_profile(target: str) -> HardwareProfile:
    """Load a profile by name or path; see `profile_text` and `parse_profile`."""
    return parse_profile(profile_text(target), target)


def profile_schema() -> dict[str, Any]:
    """JSON schema of a profile, for editors of TOML and other tools."""
    schema = TypeAdapter(ChipProfile).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nmdeploy chip profile",
        "description": "A chip as data. Every number carries its status and its source; what a chip lacks is left out.",
        **schema,
    }
