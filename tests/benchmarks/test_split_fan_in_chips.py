"""The benchmark of the fan-in split compiles for chips that differ in their input axons alone."""

import pytest

from benchmarks.split_fan_in import WINDOWS, narrowed
from hw_profiles import load_profile, parse_profile


@pytest.mark.parametrize("target", WINDOWS)
def test_narrowed_chips(target):
    chip, narrow = load_profile(target), parse_profile(narrowed(target, 400), "narrow")
    assert (narrow.name, narrow.core_limits.input_axons.value) == (f"{target}_narrow", 400)
    limits = chip.core_limits.model_dump(), narrow.core_limits.model_dump()
    differing = [name for name in limits[0] if limits[0][name] != limits[1][name]]
    assert differing == ["input_axons"]
    assert chip.mesh == narrow.mesh
    assert chip.number_formats == narrow.number_formats


def test_chips_without_input_axons_are_refused():
    with pytest.raises(ValueError, match="spinnaker has no limit of input axons"):
        narrowed("spinnaker", 400)
