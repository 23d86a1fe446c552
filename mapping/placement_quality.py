"""How good a placement is: its messages, hops and links, beside the bounds that no placement can beat."""

from __future__ import annotations

from dataclasses import dataclass

from hw_profiles import MeshProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.core_traffic import Spikes, core_traffic
from mapping.hop_bounds import hop_cost_bound
from mapping.network import ChipNetwork
from mapping.placement import Placement
from mapping.placement_problem import placement_problem
from mapping.route_metrics import RouteMetrics, route_metrics


@dataclass(frozen=True)
class PlacementQuality:
    """What a placement costs on the way.

    Attributes
    ----------
    metrics : RouteMetrics
        Of one inference, if the spikes are.
    total_hops_bound : float
        No placement of these cores on these chips has fewer hops; where it matters for output axons who shares a chip,
        none that leaves every core on its chip.
    hop_energy_pj : float or None
        Of all hops; None where the profile gives no energy of a hop.
    """

    metrics: RouteMetrics
    total_hops_bound: float
    hop_energy_pj: float | None

    @property
    def mean_hops_bound(self) -> float:
        """Lower bound of the hops of a message."""
        return self.total_hops_bound / self.metrics.messages if self.metrics.messages else 0.0

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return {
            "messages": round(self.metrics.messages, 3),
            "off_chip_messages": round(self.metrics.off_chip_messages, 3),
            "total_hops": round(self.metrics.total_hops, 3),
            "total_hops_bound": round(self.total_hops_bound, 3),
            "hops": round(self.metrics.mean_hops, 4),
            "hops_bound": round(self.mean_hops_bound, 4),
            "max_link_load": round(self.metrics.max_link_load, 3),
            "mean_link_load": round(self.metrics.mean_link_load, 3),
            "most_routing_entries": self.metrics.most_routing_entries,
            "hop_energy_pj": None if self.hop_energy_pj is None else round(self.hop_energy_pj, 3),
        }


def placement_quality(
    network: ChipNetwork, placement: Placement, profile: MeshProfile, spikes: Spikes = None
) -> PlacementQuality:
    """Measure a legal placement; the parameters are those of `mapping.route_metrics.route_metrics`."""
    metrics = route_metrics(network, placement, profile, spikes)
    traffic = core_traffic(network, [core.tiles for core in placement.cores], spikes)
    bound = hop_cost_bound(placement_problem(placement, traffic, profile))
    return PlacementQuality(metrics, bound, _hop_energy_pj(metrics, profile))


def _hop_energy_pj(metrics: RouteMetrics, profile: MeshProfile) -> float | None:
    """Energy of all hops, where the profile says what one takes."""
    if isinstance(profile, CrossbarProfile) or profile.hop_energy is None:
        return None
    energy, loads = profile.hop_energy, metrics.link_loads
    along_x = float(loads.east.sum() + loads.west.sum()) * energy.x_fj.value
    along_y = float(loads.south.sum() + loads.north.sum()) * energy.y_fj.value
    return (along_x + along_y) / 1000
