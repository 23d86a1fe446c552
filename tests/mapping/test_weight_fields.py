"""The weights that quantisation makes are the ones that each chip has."""

import numpy as np
import pytest
from mapping_networks import conv_pair
from network_changes import projection

from hw_profiles import available_profiles, load_profile
from mapping.partition import partition
from mapping.place import place
from mapping.verify import verify
from nmdeploy.quantize.weight_format import exponent_range, level_unit, round_to_levels, weight_field

SIGNS = {"mixed": (-1.0, 1.0), "excitatory": (0.0, 1.0), "inhibitory": (-1.0, 0.0)}
FIELDS = [
    (name, bits) for name in available_profiles() for bits in load_profile(name).number_formats.weight_bits.values
]


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize(("name", "bits"), FIELDS)
def test_rounded_weights_are_legal(name, bits, signs):
    """From the largest to the smallest weight, with every exponent that quantisation tries."""
    profile = load_profile(name)
    formats = profile.number_formats
    network = conv_pair((2, 4, 4), (2, 4, 4), kernel=1, padding=0)
    placement = place(partition(network, profile), profile)
    low, high = SIGNS[signs]
    wanted = np.linspace(low, high, 4).reshape(2, 2, 1, 1)
    field = weight_field(wanted, bits, formats)
    exponents = exponent_range(field, formats, 0)
    assert exponents
    assert field.sign_mode == signs
    for exponent in exponents:
        assert level_unit(field, exponent, formats) >= 1
        largest = max(field.level_max, -field.level_min) * level_unit(field, exponent, formats)
        weights = round_to_levels(wanted * largest, field, exponent, formats)
        assert np.abs(weights).max() == max(field.level_max, -field.level_min) * field.mantissa_step
        changed = projection(
            network, "conv", weights=weights, weight_bits=bits, weight_exponent=exponent, sign_mode=signs
        )
        rules = {violation.rule for violation in verify(changed, placement, profile)}
        assert not rules & {"NMD301", "NMD302"}


@pytest.mark.parametrize("name", ["spinnaker", "spinnaker2"])
def test_all_bits_of_a_narrow_weight_are_used_and_no_more(name):
    """Weights of 8 bits are small integers where they stand at the bottom of a wider field."""
    formats = load_profile(name).number_formats
    mixed, positive = np.array([-1.0, 1.0]), np.array([0.0, 1.0])
    for bits in (8, 16):
        field = weight_field(mixed, bits, formats)
        assert (field.mantissa_step, field.level_min, field.level_max) == (1, 1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)
        assert weight_field(positive, bits, formats).level_max == 2**bits - 1
