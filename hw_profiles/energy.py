"""Energy presets: what one accumulate and one multiply-accumulate cost, with the source."""

from __future__ import annotations

import sys
from importlib import resources

from pydantic import BaseModel, ConfigDict

from hw_profiles.quantities import Status

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class EnergyPreset(BaseModel):
    """Energy per operation.

    Attributes
    ----------
    name : str
    ac_pj, mac_pj : float
        Picojoule for one accumulate, and for one multiply-accumulate.
    node : str
        Process and voltage that the figures hold for.
    title, source : str
    status : {"published", "derived", "assumed"}
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    ac_pj: float
    mac_pj: float
    node: str
    title: str
    status: Status
    source: str


def energy_presets() -> dict[str, EnergyPreset]:
    """All presets by name, in the order of the file."""
    text = resources.files("hw_profiles").joinpath("energy_presets.toml").read_text(encoding="utf-8")
    return {name: EnergyPreset(name=name, **fields) for name, fields in tomllib.loads(text).items()}
