"""Maps of the cores mark those that must not be used."""

from command_line import ROOT, nmdeploy_here

from hw_profiles.energy import energy_presets
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.energy.report import energy_report
from nmdeploy.report.mesh_map import mesh_maps


def test_dead_and_reserved_cores_are_marked(tmp_path, digits_model):
    folder = tmp_path / "digits.nmd"
    chip = ROOT / "examples" / "own_chip" / "my_chip.toml"
    options = ("-T", "8", "--method", "channel-percentile", "--effort", "none", "-o", folder)
    assert nmdeploy_here("compile", digits_model, "--target", chip, *options).code == 0
    artifact = read_artifact(folder)
    drawn = mesh_maps(artifact, energy_report(artifact.counts, energy_presets()["int32"]))
    marked = {map_.title: [cell.text for cell in map_.cells if cell.unusable] for map_ in drawn}
    # the monitor's core on each chip, and one broken core
    assert marked["energy, chip 0"] == ["chip 0 (0,0) slot 0: dead or reserved"]
    assert marked["energy, chip 1"] == [
        "chip 1 (0,0) slot 0: dead or reserved", "chip 1 (1,1) slot 0: dead or reserved",
    ]  # fmt: skip
    assert all(not cell.share for map_ in drawn for cell in map_.cells if cell.unusable)
    report = tmp_path / "report.html"
    assert nmdeploy_here("report", folder, "-o", report).code == 0
    assert report.read_text(encoding="utf-8").count('class="unusable"') == sum(
        cell.unusable for map_ in drawn for cell in map_.cells
    )
