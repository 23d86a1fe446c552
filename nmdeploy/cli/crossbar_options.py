"""Options of `nmdeploy compile` on chips of crossbars."""

from __future__ import annotations

from hw_profiles.crossbar_profile import CrossbarProfile
from nmdeploy.cli.compile_choices import Decodings, Thresholds, WeightRoundings
from nmdeploy.crossbar.axon_schemes import finest_bits
from nmdeploy.errors import NmdeployError


def refuse_what_crossbars_lack(
    profile: CrossbarProfile,
    decoding: Decodings | None,
    thresholds: Thresholds,
    refinement_steps: int | None,
    weight_bits: int | None,
    weight_rounding: WeightRoundings | None,
) -> None:
    """Refuse options that chips of crossbars have nothing for.

    Raises
    ------
    NmdeployError
    """
    if decoding is Decodings.by_membrane:
        raise NmdeployError(f"--decoding membrane: potentials of {profile.name} cannot be read; its spikes are counted")
    if thresholds is Thresholds.layer:
        raise NmdeployError(f"--thresholds layer: every neuron of {profile.name} has a threshold of its own")
    if refinement_steps:
        raise NmdeployError(f"--refinement-steps: spikes of {profile.name} all weigh the same")
    most_bits = finest_bits(profile.crossbar.axon_types.value)
    if weight_bits is not None and weight_bits > most_bits:
        raise NmdeployError(
            f"--weight-bits {weight_bits}: axons of {profile.name} give one input weights of {most_bits} bits at most"
        )
    if weight_rounding is WeightRoundings.least_squares:
        raise NmdeployError(
            f"--weight-rounding least-squares: levels of {profile.name} have the unit of least squared error with any "
            "rounding; use nearest or gptq"
        )
