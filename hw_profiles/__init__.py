"""Chip profiles: one TOML file a chip, every number with its source and status."""

from hw_profiles.load import (
    ChipProfile,
    MeshProfile,
    ProfileError,
    available_profiles,
    available_targets,
    load_profile,
    load_target,
    parse_mesh_profile,
    parse_profile,
    parse_target,
    profile_schema,
    profile_text,
)
from hw_profiles.profile import HardwareProfile

__all__ = [
    "ChipProfile",
    "HardwareProfile",
    "MeshProfile",
    "ProfileError",
    "available_profiles",
    "available_targets",
    "load_profile",
    "load_target",
    "parse_mesh_profile",
    "parse_profile",
    "parse_target",
    "profile_schema",
    "profile_text",
]
