"""Prove a program of crossbars legal, as `mapping.verify` does for placements on other chips of tiles."""

from __future__ import annotations

from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.crossbar_program import CrossbarProgram
from mapping.network import ChipNetwork
from mapping.placement import Placement
from mapping.rules.crossbar_axon_rules import CROSSBAR_AXON_RULES
from mapping.rules.crossbar_capacity_rules import CROSSBAR_CAPACITY_RULES
from mapping.rules.crossbar_column_rules import CROSSBAR_COLUMN_RULES
from mapping.rules.crossbar_evidence import CrossbarEvidence
from mapping.rules.crossbar_network_rules import CROSSBAR_NETWORK_RULES
from mapping.rules.crossbar_number_rules import CROSSBAR_NUMBER_RULES
from mapping.rules.network_rules import SOUND_NETWORK_RULES
from mapping.rules.neuron_rules import CONTRADICTION_RULE
from mapping.rules.placement_rules import RECORD_RULES
from mapping.rules.rule import Rule
from mapping.violation import Violation

SHARED_RULES: tuple[Rule[CrossbarEvidence], ...] = (*RECORD_RULES, *SOUND_NETWORK_RULES, CONTRADICTION_RULE)
"""Those that crossbars share with other chips of tiles."""

OWN_RULES: tuple[Rule[CrossbarEvidence], ...] = tuple(
    sorted(
        (
            *CROSSBAR_CAPACITY_RULES,
            *CROSSBAR_AXON_RULES,
            *CROSSBAR_COLUMN_RULES,
            *CROSSBAR_NUMBER_RULES,
            *CROSSBAR_NETWORK_RULES,
        ),
        key=lambda rule: rule.code,
    )
)
"""Those of crossbars alone."""

CROSSBAR_RULES: dict[str, Rule[CrossbarEvidence]] = {rule.code: rule for rule in (*SHARED_RULES, *OWN_RULES)}
"""All rules by code, in the order in which they are checked."""


def verify_crossbars(
    network: ChipNetwork, placement: Placement, program: CrossbarProgram, profile: CrossbarProfile
) -> list[Violation]:
    """Check a placed network and its program against every rule.

    Parameters
    ----------
    network : ChipNetwork
    placement : Placement
    program : CrossbarProgram
    profile : CrossbarProfile

    Returns
    -------
    list of Violation
        Every violation found, in order of the rules; empty if all is legal. What is too malformed to be counted is
        reported as such and left out of the counts.
    """
    evidence = CrossbarEvidence(network, placement, profile, program)
    return [violation for rule in CROSSBAR_RULES.values() for violation in rule.check(evidence)]
