"""The mapper of a target."""

from __future__ import annotations

from hw_profiles import HardwareProfile
from hw_profiles.analog_profile import AnalogProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from hw_profiles.layer_core_profile import LayerCoreProfile
from nmdeploy.advise.analog_mapper import AnalogMapper
from nmdeploy.advise.crossbar_mapper import CrossbarMapper
from nmdeploy.advise.layer_core_mapper import LayerCoreMapper
from nmdeploy.advise.mapped import Mapper
from nmdeploy.advise.neuron_core_mapper import NeuronCoreMapper
from nmdeploy.convert.calibration import Calibration
from nmdeploy.errors import NmdeployError
from nmdeploy.quantize.quantize import DEFAULT_WEIGHT_BITS

Profile = HardwareProfile | CrossbarProfile | LayerCoreProfile | AnalogProfile


def mapper_for(
    profile: Profile, calibration: Calibration, timesteps: int, weight_bits: int | None, *, split_fan_in: bool
) -> Mapper:
    """The mapper of a target.

    Parameters
    ----------
    profile : HardwareProfile, CrossbarProfile, LayerCoreProfile or AnalogProfile
    calibration : Calibration
        Of a few samples.
    timesteps : int
    weight_bits : int or None
        None: 8, or what each layer needs on crossbars.
    split_fan_in : bool
        Whether chips of neurons sum in parts what has too many inputs.

    Raises
    ------
    NmdeployError
        The target has no choice of what is given.
    """
    if isinstance(profile, HardwareProfile):
        bits = DEFAULT_WEIGHT_BITS if weight_bits is None else weight_bits
        return NeuronCoreMapper(profile, calibration, timesteps, bits, split_fan_in)
    if split_fan_in:
        always = "always sums in parts what has too many inputs" if isinstance(profile, CrossbarProfile) else "cannot"
        raise NmdeployError(f"--split-fan-in: {profile.name} {always}")
    if isinstance(profile, CrossbarProfile):
        return CrossbarMapper(profile, calibration, timesteps, weight_bits)
    if weight_bits is not None:
        raise NmdeployError(f"--weight-bits {weight_bits}: nothing is quantised for {profile.name}")
    return LayerCoreMapper(profile) if isinstance(profile, LayerCoreProfile) else AnalogMapper(profile)
