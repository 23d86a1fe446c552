"""Prove a placement legal: count everything anew, by other code than made it, and judge it by rules."""

from __future__ import annotations

from hw_profiles import HardwareProfile
from mapping.network import ChipNetwork
from mapping.placement import Placement
from mapping.rules.capacity_rules import CAPACITY_RULES
from mapping.rules.evidence import Evidence
from mapping.rules.network_rules import NETWORK_RULES
from mapping.rules.neuron_rules import NEURON_RULES
from mapping.rules.number_rules import NUMBER_RULES
from mapping.rules.placement_rules import PLACEMENT_RULES
from mapping.rules.product_rules import PRODUCT_RULES
from mapping.rules.rule import Rule
from mapping.violation import Violation

__all__ = ["RULES", "Rule", "verify"]

RULES: dict[str, Rule[Evidence]] = {
    rule.code: rule
    for rules in (PLACEMENT_RULES, CAPACITY_RULES, NUMBER_RULES, PRODUCT_RULES, NETWORK_RULES, NEURON_RULES)
    for rule in rules
}
"""All rules by code, in the order in which they are checked."""


def verify(network: ChipNetwork, placement: Placement, profile: HardwareProfile) -> list[Violation]:
    """Check a placed network against every rule.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    profile : HardwareProfile

    Returns
    -------
    list of Violation
        Every violation found, in order of the rules; empty if the placement is legal. Parts of the network
        too malformed to count are reported as such and left out of the counts.
    """
    evidence = Evidence(network, placement, profile)
    return [violation for rule in RULES.values() for violation in rule.check(evidence)]
