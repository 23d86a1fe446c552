"""Energy presets: what each kind of event costs, with the source."""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from hw_profiles.quantities import Status

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EventKind = Literal[
    "accumulate",
    "multiply_accumulate",
    "input_addition",
    "neuron_update",
    "bias_addition",
    "reset",
    "spike",
    "message",
    "hop_x",
    "hop_y",
]
"""What is counted and can have a price; `nmdeploy.energy.events` says how each is counted."""

EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

Scope = Literal["arithmetic", "arithmetic and memory", "chip"]
Energy = Annotated[float, Field(ge=0, le=1e15)]
"""At most a kilojoule, in picojoule: more is no event of a chip."""


class EnergyPresetError(ValueError):
    """A preset is missing, unreadable or invalid."""


class MemoryModel(BaseModel):
    """Memories of a layer, as Lemaire et al. (2022) have them: one access moves one value, whatever its width.

    Attributes
    ----------
    access_pj : tuple of (float, float)
        Size of a memory in bytes and energy of one access in picojoule, by rising size; straight lines between, and
        beyond the last the last.
    value_bytes : int
        Of a weight, bias, potential, activation or message.
    queue_values : int
        Messages that the queue before and after each spiking layer holds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    access_pj: tuple[tuple[Energy, Energy], ...] = Field(min_length=2)
    value_bytes: int = Field(gt=0)
    queue_values: int = Field(gt=0)

    @model_validator(mode="after")
    def _sizes_rise(self) -> MemoryModel:
        sizes = [size for size, _ in self.access_pj]
        if sizes != sorted(set(sizes)):
            raise ValueError("the sizes of access_pj do not rise")
        return self


class StaticPower(BaseModel):
    """What a chip takes even if nothing happens.

    Attributes
    ----------
    chip_mw : float
        Of each chip in use.
    step_us : float
        Duration of one time step.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chip_mw: Energy
    step_us: Energy


class EnergyPreset(BaseModel):
    """Energy per event.

    Attributes
    ----------
    name : str
    title : str
    scope : {"arithmetic", "arithmetic and memory", "chip"}
        What kind of figures these are. Those of a chip contain control, memory and wires, and are not comparable with
        those of bare arithmetic.
    targets : tuple of str
        Profiles that the figures are of; empty for figures of a process.
    energy_pj : dict of event kind to float
        Picojoule; what is not named has no price of its own.
    contained : tuple of event kind
        Without a price because others, or the memory model, contain what they cost. All else without a price is left
        out.
    memory : MemoryModel or None
    static : StaticPower or None
    firing_rate_hz : float or None
        Mean rate of the neurons that the figures hold at, where they do not hold at others.
    node : str
        Process and voltage that the figures hold for.
    includes, leaves_out : str
        In words. Event kinds without a price are left out, too.
    status : {"published", "derived", "assumed"}
    source : str
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    scope: Scope
    targets: tuple[str, ...] = ()
    energy_pj: dict[EventKind, Energy] = Field(min_length=1)
    contained: tuple[EventKind, ...] = ()
    memory: MemoryModel | None = None
    static: StaticPower | None = None
    firing_rate_hz: Energy | None = None
    node: str
    includes: str
    leaves_out: str
    status: Status
    source: str

    @model_validator(mode="after")
    def _arithmetic_is_priced(self) -> EnergyPreset:
        if self.scope != "chip" and not {"accumulate", "multiply_accumulate"} <= set(self.energy_pj):
            raise ValueError("energy_pj: arithmetic needs accumulate and multiply_accumulate")
        if (self.memory is not None) != (self.scope == "arithmetic and memory"):
            raise ValueError('memory: goes with scope "arithmetic and memory", and with no other')
        if set(self.contained) & set(self.energy_pj):
            raise ValueError("contained: has a price in energy_pj")
        return self

    @property
    def ac_pj(self) -> float:
        """Of one accumulate; a KeyError without a price."""
        return self.energy_pj["accumulate"]

    @property
    def mac_pj(self) -> float:
        """Of one multiply-accumulate; a KeyError without a price, as presets of chips may have none."""
        return self.energy_pj["multiply_accumulate"]

    @property
    def without_price(self) -> tuple[EventKind, ...]:
        """Event kinds that are left out."""
        return tuple(kind for kind in EVENT_KINDS if kind not in self.energy_pj and kind not in self.contained)

    @property
    def left_out(self) -> str:
        """Everything that is left out, in words."""
        unpriced = ", ".join(kind.replace("_", " ") for kind in self.without_price)
        return self.leaves_out + (f"; without a price: {unpriced}" if unpriced else "")

    @property
    def remark(self) -> str:
        """What to say beside an energy."""
        return f"energy: estimate, preset {self.name} ({self.source}); leaves out {self.left_out}"


def energy_presets() -> dict[str, EnergyPreset]:
    """All presets of the package by name, in the order of the file."""
    text = resources.files("hw_profiles").joinpath("energy_presets.toml").read_text(encoding="utf-8")
    return {name: EnergyPreset(name=name, **fields) for name, fields in tomllib.loads(text).items()}


def presets_for(target: str) -> list[EnergyPreset]:
    """Those of a process, and those of this target."""
    return [preset for preset in energy_presets().values() if not preset.targets or target in preset.targets]


def load_preset(name: str) -> EnergyPreset:
    """One preset.

    Parameters
    ----------
    name : str
        Of a preset of the package, or the path of a TOML file that holds the fields of one; the file's name is then the
        preset's.

    Raises
    ------
    EnergyPresetError
        No preset has this name, or the file cannot be read or is invalid.
    """
    presets = energy_presets()
    if name in presets:
        return presets[name]
    path = Path(name)
    if path.stem in presets:
        raise EnergyPresetError(f"preset {path}: '{path.stem}' is the name of a preset of nmdeploy; rename the file")
    if path.suffix != ".toml":
        known = ", ".join(presets)
        raise EnergyPresetError(f"unknown preset '{name}'. Known presets: {known}; or give a path to a .toml file.")
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EnergyPresetError(f"preset {path}: cannot be read: {error}") from error
    try:
        return _parsed(fields, path.stem)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'preset'}: {one['msg']}" for one in error.errors()
        )
        raise EnergyPresetError(f"preset {path}: {problems}") from error


def _parsed(fields: dict[str, Any], name: str) -> EnergyPreset:
    if "name" in fields:
        raise EnergyPresetError(f"preset {name}.toml: name: the name of the file is the preset's")
    return TypeAdapter(EnergyPreset).validate_json(json.dumps({"name": name, **fields}, default=str), strict=True)
