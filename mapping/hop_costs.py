"""What a hop counts for each objective."""

from __future__ import annotations

from hw_profiles import MeshProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.placement_options import Objective


def hop_costs(profile: MeshProfile, objective: Objective) -> tuple[int, int]:
    """Cost of a hop along x and along y, relative to each other.

    For "energy" what a hop takes on this chip, in femtojoule. All hops are equal where the profile does not say that,
    and for the other objectives.
    """
    energy = None if isinstance(profile, CrossbarProfile) else profile.hop_energy
    if objective == "energy" and energy is not None:
        return energy.x_fj.value, energy.y_fj.value
    return 1, 1
