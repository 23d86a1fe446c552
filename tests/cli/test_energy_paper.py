"""`energy --paper`: all formats show every step, and what makes no sense beside it is refused."""

import pytest
from command_line import ROOT, nmdeploy_here, refused

from nmdeploy.energy.spiking_yolo_paper import spiking_yolo_audit


def paper(*arguments):
    return nmdeploy_here("energy", "--paper", "spiking-yolo", *arguments)


def words_of(text):
    """The words of all cells, whichever lines a table breaks them over."""
    return set("".join(" " if character in "│┃|" else character for character in text).replace("\\", "").split())


@pytest.mark.parametrize("output_format", ["table", "md"])
def test_every_step_is_shown(output_format):
    ended = paper("--format", output_format)
    assert (ended.code, ended.stderr) == (0, "")
    shown = words_of(ended.stdout)
    for step in spiking_yolo_audit().steps.values():
        assert set(step.assumption.split()) <= shown
        assert set(step.formula.split()) <= shown
        assert set(step.problem.split()) <= shown
    for figure in ("3,485,520,896", "3,207,288,000", "279.72", "3.4448", "674.71", "4224.2", "154.35", "17.15"):
        assert figure in shown


def test_markdown_is_a_table():
    lines = [line for line in paper("--format", "md").stdout.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {6, 7}  # five columns of steps, six of convolutions


def test_json():
    ended = paper("--format", "json")
    steps = {step["name"]: step for section in ended.json["sections"] for step in section["steps"]}
    assert steps["padded_dense_macs"]["value"] == 3485520896
    assert steps["claimed_ratio"]["value"] == pytest.approx(279.72, abs=0.01)
    assert set(steps["gpu_energy_j"]) == {
        "name",
        "assumption",
        "formula",
        "value",
        "unit",
        "status",
        "source",
        "problem",
    }
    assert len(ended.json["convolutions"]) == 9


def test_neither_or_both(tmp_path):
    refused(nmdeploy_here("energy"), "folder of an artifact", "--paper")
    refused(paper(tmp_path), "takes --format alone, not artifact")
    refused(paper("--data", tmp_path / "x.npz"), "takes --format alone, not --data")
    refused(paper("--preset", "int32", "--by", "core"), "not --preset, --by")
    refused(paper("--format", "csv"), "table, json or md")


def test_unknown_paper():
    refused(nmdeploy_here("energy", "--paper", "spiking-resnet"), "spiking-yolo")


def test_the_manual_shows_the_output():
    """docs/energy_papers.md has the tables and the conclusions as they are printed."""
    manual = (ROOT / "docs" / "energy_papers.md").read_text().splitlines()
    printed = paper("--format", "md").stdout.splitlines()
    assert [line for line in printed if line not in manual] == []
