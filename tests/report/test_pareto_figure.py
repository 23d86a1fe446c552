"""Energy, accuracy and latency: windows lie where their numbers say, and all are in the table."""

from itertools import combinations

import pytest
from report.windows import window, windows_of

from hw_profiles.energy import energy_presets
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.report.page import render_page
from nmdeploy.report.pareto_figure import LABEL_HEIGHT, LABEL_WIDTH, pareto_figure

INT32 = energy_presets()["int32"]

POINTS = [
    window(32, 0.92, 4e6, 40, True),
    window(4, 0.80, 1e5, 12, True),
    window(8, 0.90, 2e6, 16, True),
    window(16, 0.89, 3e6, 24, False),
    window(64, None, 8e6, 72, False),
]


def by_label(figure):
    return {mark.label: mark for mark in figure.marks}


def test_places():
    figure = pareto_figure(POINTS)
    marks = by_label(figure)
    assert set(marks) == {"T=4", "T=8", "T=16", "T=32"}
    # logarithmic: a factor of 2 is as wide everywhere
    factor = marks["T=32"].x - marks["T=8"].x
    assert marks["T=8"].x - marks["T=4"].x == pytest.approx(factor * 4.3219, abs=0.5)
    # linear, upwards
    assert marks["T=4"].y - marks["T=8"].y == pytest.approx(5 * (marks["T=8"].y - marks["T=32"].y), abs=0.5)
    for mark in figure.marks:
        assert figure.left < mark.x < figure.right
        assert figure.top <= mark.y <= figure.bottom


def test_ticks_say_the_values_of_their_places():
    figure = pareto_figure(POINTS)
    assert [tick.label for tick in figure.energy_ticks] == ["1e+05", "2e+05", "5e+05", "1e+06", "2e+06", "5e+06"]
    assert by_label(figure)["T=8"].x == figure.energy_ticks[4].place
    accuracy = {tick.label: tick.place for tick in figure.accuracy_ticks}
    assert by_label(figure)["T=4"].y == accuracy["80.0%"]
    assert by_label(figure)["T=8"].y == accuracy["90.0%"]


def test_the_front_joins_the_pareto_points_by_energy():
    figure = pareto_figure(POINTS)
    marks = by_label(figure)
    ends = [(marks[label].x, marks[label].y) for label in ("T=4", "T=8", "T=32")]
    assert figure.front == "M" + "L".join(f"{x} {y}" for x, y in ends)
    assert marks["T=8"].text == (
        "T = 8: accuracy 90.00%, 2,000,000 pJ an inference, latency 16 steps; Pareto-optimal"
    )
    assert marks["T=16"].text.endswith("latency 24 steps")


def test_labels_do_not_cover_each_other():
    close = [window(steps, 0.9 + steps / 1e4, 1e6 * (1 + steps / 100), steps, False) for steps in (1, 2, 3, 4)]
    far = window(64, 0.3, 1e8, 64, True)
    for one, other in combinations(pareto_figure([*close, far]).marks, 2):
        apart = abs(one.label_x - other.label_x) >= LABEL_WIDTH or abs(one.label_y - other.label_y) >= LABEL_HEIGHT
        assert apart, (one.label, other.label)


def test_words_and_table():
    figure = pareto_figure(POINTS)
    assert figure.title == (
        "accuracy over energy of 4 windows; best T = 32 with 92.00% at 4,000,000 pJ; "
        "Pareto-optimal T: 4, 8, 32"
    )
    assert [point.timesteps for point in figure.points] == [4, 8, 16, 32, 64]


@pytest.mark.parametrize("points", [[], [window(8, None, 1.0, 8, True)], [window(8, 0.5, 0.0, 8, False)]])
def test_without_an_accuracy_or_energy_there_is_a_table_alone(points):
    figure = pareto_figure(points)
    assert figure.marks == ()
    assert figure.front == ""
    assert figure.points == tuple(points)
    assert "none to draw" in figure.title


def test_one_window_or_equal_ones_are_drawn():
    for points in ([POINTS[0]], [POINTS[0], window(33, 0.92, 4e6, 41, False)]):
        figure = pareto_figure(points)
        assert len(figure.marks) == len(points)
        assert len(figure.energy_ticks) >= 2
        assert len(figure.accuracy_ticks) >= 2


def test_a_report_has_it_where_it_is_given(compiled_digits):
    artifact = read_artifact(compiled_digits)
    page = render_page(artifact, "digits", INT32, windows=windows_of(POINTS))
    assert "Energy, accuracy and latency as a table" in page
    assert page.count("<circle") == 4
    assert "<td class=\"n\">64</td><td class=\"n\">-</td>" in page
    assert "Energy, accuracy and latency" not in render_page(artifact, "digits", INT32)
