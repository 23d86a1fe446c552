"""Chip profiles: one TOML file a chip, every number with its source and status."""

from hw_profiles.profile import (
    HardwareProfile,
    ProfileError,
    available_profiles,
    load_profile,
    parse_profile,
    profile_text,
)

__all__ = [
    "HardwareProfile",
    "ProfileError",
    "available_profiles",
    "load_profile",
    "parse_profile",
    "profile_text",
]
