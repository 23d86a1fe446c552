"""The audit of Spiking-YOLO's energy comparison, figure for figure; all expected values were worked out apart."""

import json

import pytest

from nmdeploy.energy.spiking_yolo_paper import spiking_yolo_audit
from nmdeploy.energy.tiny_yolo import convolution_macs, tiny_yolo_voc

EXPECTED = {
    # the network
    "padded_dense_macs": 3_485_520_896,
    "two_flop_a_mac": 6.97e9,
    # 280 times
    "paper_flop": 6.97e9,
    "gpu_flop_per_j": 56e9,
    "gpu_energy_j": 0.1245,
    "channel_norm_operations": 4.90e7,
    "truenorth_operations_per_j": 400e9,
    "window_s": 3.5,
    "truenorth_power_w": 1.225e-4,
    "truenorth_energy_j": 4.29e-4,
    "claimed_ratio": 279.7,
    # operations of one step
    "mean_activity_per_step": 0.014,
    "truenorth_all_steps_energy_j": 0.429,
    "truenorth_all_steps_ratio": 3.4,
    # 2000 times
    "layer_norm_operations": 5.28e7,
    "fp32_mac_pj": 4.6,
    "fp32_ac_pj": 0.9,
    "int32_mac_pj": 3.2,
    "int32_ac_pj": 0.1,
    "fp32_claimed_ratio": 675,
    "fp32_mac_ratio": 337,
    "int32_claimed_ratio": 4224,
    "int32_mac_ratio": 2112,
    # all steps
    "all_steps_operations": 1.715e11,
    "fp32_trained_energy_mj": 16.033,
    "fp32_spiking_energy_mj": 154,
    "fp32_all_steps_ratio": 9.6,
    "int32_trained_energy_mj": 11.154,
    "int32_spiking_energy_mj": 17.2,
    "int32_all_steps_ratio": 1.5,
}
"""Each to the digits that are given."""


@pytest.fixture(scope="module")
def audit():
    return spiking_yolo_audit()


def digits(value):
    """How many digits a figure is given with."""
    return len(f"{value:.12g}".split("e")[0].replace(".", "").lstrip("0").rstrip("0")) or 1


@pytest.mark.parametrize("name", EXPECTED)
def test_figure(audit, name):
    expected = EXPECTED[name]
    assert float(f"{audit.steps[name].value:.{digits(expected)}g}") == expected


def test_no_figure_is_untested(audit):
    assert set(audit.steps) - set(EXPECTED) == {"border_aware_macs"}


def test_shapes_of_tiny_yolo():
    """Darknet's table of the network: maps of 416, 208, 104, 52, 26, 13 and 13, since the last maximum has stride 1."""
    counted = convolution_macs(tiny_yolo_voc())
    sizes = [416, 208, 104, 52, 26, 13, 13, 13, 13]
    channels = [3, 16, 32, 64, 128, 256, 512, 1024, 1024, 125]
    assert [one.input_shape for one in counted] == [(c, n, n) for c, n in zip(channels, sizes, strict=False)]
    assert [one.output_shape for one in counted] == [(c, n, n) for c, n in zip(channels[1:], sizes, strict=True)]
    assert [one.kernel for one in counted] == [3] * 8 + [1]


def test_borders_of_tiny_yolo(audit):
    """A kernel of 3 meets 3n - 2 inputs along an axis of n, not 3n."""
    for one in audit.convolutions:
        size = one.output_shape[1]
        taps = 3 * size - 2 if one.kernel == 3 else size
        assert one.border_aware_macs == taps**2 * one.input_shape[0] * one.output_shape[0]
        assert one.padded_dense_macs == (one.kernel * size) ** 2 * one.input_shape[0] * one.output_shape[0]
    assert audit.steps["border_aware_macs"].value == sum(one.border_aware_macs for one in audit.convolutions)


def test_formulas_give_the_values(audit):
    """What stands in the column of the arithmetic is what was computed, to the digits it is written with."""
    checked = 0
    for step in audit.steps.values():
        formula = step.formula.replace(",", "").removesuffix(" pJ")
        if formula and not set(formula) - set("0123456789.e+-*/() "):
            picojoules = 1e-9 if step.formula.endswith("pJ") else 1
            assert eval(formula) * picojoules == pytest.approx(step.value, rel=1e-3), step.name
            checked += 1
    assert checked == len([step for step in audit.steps.values() if step.formula]) - 2  # two counts are in words


def test_every_step_has_a_source_and_derived_ones_a_formula(audit):
    for step in audit.steps.values():
        assert step.source
        assert step.status in ("published", "derived", "assumed")
        assert step.formula or step.status == "published"


def test_steps_that_break_say_why(audit):
    for name in ("truenorth_power_w", "truenorth_energy_j", "fp32_claimed_ratio", "int32_mac_ratio"):
        assert audit.steps[name].problem
    assert "second" in audit.steps["truenorth_energy_j"].problem
    for number_format in ("fp32", "int32"):
        assert "time steps are left out" in audit.steps[f"{number_format}_claimed_ratio"].problem
        assert "loses" in audit.steps[f"{number_format}_all_steps_ratio"].problem


def test_conclusions_have_the_figures(audit):
    text = " ".join(audit.conclusions)
    for words in ("279.7", "3.4 times", "675", "4,224", "2,112", "9.6 times (fp32)", "1.5 times (int32)"):
        assert words in text


def test_document(audit):
    document = json.loads(json.dumps(audit.as_dict()))
    assert document["sections"][0]["steps"][0]["value"] == 3_485_520_896
