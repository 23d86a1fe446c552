"""A placement that breaks rules still has a report, which says so first."""

from dataclasses import replace

import pytest

from hw_profiles.energy import energy_presets
from mapping.placement import Placement
from mapping.verify import verify
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.report.page import render_page

INT32 = energy_presets()["int32"]


@pytest.mark.parametrize("change", [{"x": 99}, {"chip": 7}])
def test_violations_are_listed_and_nothing_is_measured(compiled_digits, change):
    artifact = read_artifact(compiled_digits)
    first, *others = artifact.placement.cores
    moved = replace(first, address=replace(first.address, **change))
    illegal = replace(artifact, placement=Placement((moved, *others)))
    violations = verify(illegal.network, illegal.placement, illegal.profile)
    assert violations
    page = render_page(illegal, "digits", INT32)
    assert f"{len(violations)} violations</strong>" in page
    assert page.count("<li>NMD") == len(violations)
    assert "Legal placement" not in page
    assert "hops a message" not in page
    assert "link loads" not in page
    assert "utilisation of compartments, chip 0" in page
