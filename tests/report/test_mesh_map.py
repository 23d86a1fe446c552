"""Maps and tables of the cores: those that must not be used, the largest, and values that agree with each other."""

from dataclasses import replace

import pytest
from command_line import ROOT, nmdeploy_here

from hw_profiles.energy import energy_presets
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.energy.report import EnergyReport
from nmdeploy.report.core_quantities import core_quantities
from nmdeploy.report.core_table import CORES_LISTED, core_table
from nmdeploy.report.mesh_map import CELLS_DRAWN, TILES_NAMED, chips_drawn, mesh_maps


@pytest.fixture(scope="module")
def folder(tmp_path_factory, digits_model):
    folder = tmp_path_factory.mktemp("own") / "digits.nmd"
    chip = ROOT / "examples" / "own_chip" / "my_chip.toml"
    options = ("-T", "8", "--method", "channel-percentile", "--effort", "none", "-o", folder)
    assert nmdeploy_here("compile", digits_model, "--target", chip, *options).code == 0
    return folder


@pytest.fixture(scope="module")
def artifact(folder):
    return read_artifact(folder)


@pytest.fixture(scope="module")
def quantities(artifact):
    return core_quantities(artifact, EnergyReport(artifact.counts, energy_presets()["int32"]))


@pytest.fixture(scope="module")
def drawn(artifact, quantities):
    return [map_ for chip in chips_drawn(artifact, quantities) for map_ in mesh_maps(artifact, quantities, chip)]


def test_dead_and_reserved_cores_are_marked(folder, drawn, tmp_path):
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


def test_utilisation_energy_and_spikes_are_drawn_of_every_chip(artifact, drawn):
    chips = {core.address.chip for core in artifact.placement.cores}
    for chip in chips:
        names = [map_.title.partition(",")[0] for map_ in drawn if map_.title.endswith(f"chip {chip}")]
        assert names[-2:] == ["energy", "spikes"]
        assert names[:-2]
        assert all(name.startswith("utilisation of ") for name in names[:-2])


def test_shades_texts_and_scale_agree(artifact, quantities, drawn):
    by_title = {map_.title: map_ for map_ in drawn}
    for quantity in quantities:
        for core in artifact.placement.cores:
            map_ = by_title[f"{quantity.name}, chip {core.address.chip}"]
            cell = next(cell for cell in map_.cells if cell.text.startswith(f"{core.address}: "))
            amount = quantity.amount_of(core)
            assert cell.share == pytest.approx(amount / quantity.scale_end)
            assert f": {amount:,.0f} " in cell.text
            assert map_.scale_end == f"{quantity.scale_end:,.0f} {quantity.unit}"
        if not quantity.is_capacity:
            assert quantity.scale_end == max(quantity.amount_of(core) for core in artifact.placement.cores)


def test_the_framed_core_is_the_one_that_the_words_name(drawn):
    for map_ in drawn:
        framed = [cell for cell in map_.cells if cell.is_largest]
        assert len(framed) == 1
        assert framed[0].share == max(cell.share for cell in map_.cells)
        assert f"most at {framed[0].text.partition(':')[0]}, " in map_.label


def test_a_core_with_many_tiles_names_the_first(artifact, quantities):
    first, *others = artifact.placement.cores
    crowded = replace(first, tiles=first.tiles[:1] * (TILES_NAMED + 4))
    changed = replace(artifact, placement=replace(artifact.placement, cores=(crowded, *others)))
    texts = [cell.text for cell in mesh_maps(changed, quantities, first.address.chip)[0].cells]
    text = next(text for text in texts if text.startswith(f"{first.address}: "))
    assert text.count(str(first.tiles[0])) == TILES_NAMED
    assert text.endswith(" and 4 more")


def test_fewer_chips_are_drawn_when_they_have_many_cores(artifact, quantities):
    assert len(chips_drawn(artifact, quantities)) == artifact.placement.chip_count > 1
    too_many = CELLS_DRAWN // artifact.profile.mesh.cores_per_chip + 1
    assert len(chips_drawn(artifact, quantities[:1] * too_many)) == 1


def test_the_table_lists_the_largest_and_sums_all_up(artifact, quantities):
    cores = list(artifact.placement.cores)
    table = core_table(cores, quantities)
    column = [quantity.name for quantity in quantities].index("energy")
    amounts = sorted((quantities[column].amount_of(core) for core in cores), reverse=True)
    assert [amounts_[column] for _, amounts_ in table.rows] == [f"{amount:,.0f}" for amount in amounts]
    summary = {name: amounts_[column] for name, amounts_ in table.summary}
    mean = sum(amounts) / len(amounts)
    assert summary == {"least": f"{amounts[-1]:,.0f}", "mean": f"{mean:,.0f}", "most": f"{amounts[0]:,.0f}"}
    many = core_table(cores * (CORES_LISTED + 1), quantities)
    assert len(many.rows) == CORES_LISTED
    assert many.cores == len(cores) * (CORES_LISTED + 1)
