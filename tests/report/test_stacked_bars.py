"""Stacked bars: every energy is a segment of a length in proportion, and stands in the table and the words."""

import pytest

from nmdeploy.report.stacked_bars import BAR_WIDTH, NAME_WIDTH, stacked_bars

ROWS = [
    ("conv", [("accumulate", 30.0), ("multiply", 10.0), ("route", 0.0)]),
    ("dense", [("route", 5.0), ("accumulate", 15.0)]),
    ("idle", []),
]


def test_lengths_are_in_proportion_and_begin_where_the_one_before_ends():
    drawn = stacked_bars(ROWS)
    assert drawn.kinds == ("accumulate", "multiply", "route")
    unit = BAR_WIDTH / 40
    found = [(segment.kind, segment.x - NAME_WIDTH, segment.width) for segment in drawn.segments]
    assert found == [
        (0, 0, 30 * unit), (1, 30 * unit, 10 * unit),
        (0, 0, 15 * unit), (2, 15 * unit, 5 * unit),
    ]  # fmt: skip
    for bar in drawn.bars:
        for segment in drawn.segments:
            inside = bar.y <= segment.y and segment.y + drawn.bar_height <= bar.y + drawn.height / len(drawn.bars)
            assert inside == segment.text.startswith(f"{bar.name}, ")


def test_the_table_has_every_energy_and_sums():
    drawn = stacked_bars(ROWS)
    assert [(bar.name, bar.energies_pj, bar.total_pj) for bar in drawn.bars] == [
        ("conv", (30.0, 10.0, 0.0), 40.0), ("dense", (15.0, 0.0, 5.0), 20.0), ("idle", (0.0, 0.0, 0.0), 0.0),
    ]  # fmt: skip
    assert drawn.totals_pj == (45.0, 10.0, 5.0)


def test_words_and_hover_texts():
    drawn = stacked_bars(ROWS)
    assert drawn.title == (
        "60 pJ in 3 layers: accumulate 75.0%, multiply 16.7%, route 8.3%; most in conv, 66.7%"
    )
    assert drawn.segments[1].text == "conv, multiply: 10 pJ, 25.0% of the layer"


def test_a_kind_without_energy_is_left_out_and_nothing_at_all_is_said():
    assert stacked_bars([("conv", [("accumulate", 1.0), ("multiply", 0.0)])]).kinds == ("accumulate",)
    empty = stacked_bars([("conv", [("accumulate", 0.0)])])
    assert (empty.kinds, empty.segments, empty.title) == ((), (), "no energy in any layer")


def test_long_names_are_shortened_where_they_are_drawn_alone():
    bar = stacked_bars([("stage.4.block.2.convolution.1", [("accumulate", 1.0)])]).bars[0]
    assert bar.shown_name.startswith("...")
    assert bar.name.endswith(bar.shown_name[3:])


def test_negative_energy_is_refused():
    with pytest.raises(ValueError, match="negative"):
        stacked_bars([("conv", [("accumulate", -1.0)])])
