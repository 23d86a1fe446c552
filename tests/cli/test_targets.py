"""Every target from the model to the report."""

import re

import pytest
from command_line import nmdeploy

from hw_profiles import available_profiles, load_profile


@pytest.fixture(scope="module", params=[name for name in available_profiles() if name != "loihi"])
def artifact(request, digits_model, tmp_path_factory):
    """The digits network for a target of programmable neurons; those for loihi have tests of their own."""
    folder = tmp_path_factory.mktemp(request.param) / "digits.nmd"
    arguments = ("--target", request.param, "-T", "8", "--method", "channel-percentile", "-o", folder, "--json")
    ended = nmdeploy("compile", digits_model, *arguments)
    assert ended.code == 0, ended.stderr
    return load_profile(request.param), folder, ended.json


def test_placement_is_legal(artifact):
    _, folder, summary = artifact
    ended = nmdeploy("check", folder, "--format", "json")
    assert ended.code == 0, ended.stdout
    assert ended.json["violations"] == []
    assert ended.json["cores_bound"] <= ended.json["cores_used"] == summary["cores"] <= 20
    assert nmdeploy("energy", folder, "--by", "core").code == 0


def test_every_core_is_drawn_where_it_can_be_seen(artifact):
    profile, folder, _ = artifact
    page = folder.parent / "page.html"
    assert nmdeploy("report", folder, "-o", page).code == 0
    text = page.read_text(encoding="utf-8").partition("<h2>Cores</h2>")[2]
    drawn = "".join(re.findall(r'<svg class="map".*?</svg>', text.partition('<figure class="links">')[0], re.DOTALL))
    sizes = [int(size) for size in re.findall(r'<rect x="\d+" y="\d+" width="(\d+)"', drawn)]
    limits = profile.core_limits
    maps = 2 + sum(  # energy and spikes
        limit is not None
        for limit in (limits.compartments, limits.synapse_memory_words, limits.memory_bytes, limits.synapse_row_bytes)
    )
    assert len(sizes) == maps * profile.mesh.cores_per_chip
    assert min(sizes) >= 3
    assert len(set(re.findall(r'<rect x="(\d+)" y="(\d+)"', drawn))) == profile.mesh.cores_per_chip
