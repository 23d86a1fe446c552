"""What a core of a chip has of what is demanded of it."""

from __future__ import annotations

from hw_profiles import MeshProfile
from hw_profiles.crossbar_profile import CrossbarProfile


def core_capacities(profile: MeshProfile) -> dict[str, int]:
    """Capacities that a core has and limits.

    Returns
    -------
    dict of str to int
        By field of `mapping.tiles.Demands`, or of `mapping.tiles.CrossbarDemands` for crossbars.
    """
    if isinstance(profile, CrossbarProfile):
        return {"axons": profile.crossbar.axons.value, "neurons": profile.crossbar.neurons.value}
    limits = profile.core_limits
    return {name: limit.value for name in type(limits).model_fields if (limit := getattr(limits, name)) is not None}
