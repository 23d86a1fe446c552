"""The ratios and verdicts that are printed, for times that are known."""

from benchmarks.comparison import EXAMPLE_MODE, FLOAT_BOUND, SIMULATOR, SPIKINGJELLY
from benchmarks.report import render

MACHINE = {"processor": "P", "cores": 2, "python": "3.10", "torch": "2"}


def measured(seconds, **more):
    return {"seconds": seconds, "mode": "m", **more}


def test_ratios_of_least_and_median_against_the_fastest_mode():
    contestants = {
        SIMULATOR: measured([2.0, 1.0, 4.0], correct=7),
        FLOAT_BOUND: measured([1.0, 3.0, 2.5]),
        f"{SPIKINGJELLY}{EXAMPLE_MODE}": measured([8.0, 9.0, 9.0], measured_steps=5),
        f"{SPIKINGJELLY}multi-step, contiguous": measured([2.0, 6.0, 5.0]),
    }
    comparison = {"network": "N", "threads": 2, "batch": 128, "contestants": contestants}
    text = render({"machine": MACHINE, "quick": False, "seconds": 1, "comparisons": [comparison]})
    assert "| N | 2 | 128 | (b) ours / T x float | 1.00 | 0.80 | <= 1.2: met |" in text
    fastest = "(c) SpikingJelly, fastest mode / ours | 2.00 | 2.50 | >= 1.5: met, aim 3: missed |"
    assert f"| N | 2 | 128 | {fastest}" in text
    assert "(c) SpikingJelly, as in its examples / ours | 8.00 | 4.50 | >= 1.5: met, aim 3: met |" in text
    assert "| N | 2 | 128 | nmdeploy simulator | 7.81 | 15.62 | 3 | 7 | m |" in text  # ms per image
    assert "m, 5 steps timed" in text


def test_lava_and_memory():
    stock = {"step_seconds": 0.5, "start_seconds": 1.0, "measured_steps": 3, "processes": 39}
    lava = [{"network": "N", "stock": stock, "simulator_step_seconds": 0.0004, "lava_step_seconds": 0.01}]
    point = {"seconds": 1.0, "baseline_mib": 500.0, "peak_mib": 2000.0}
    series = {"over": "T", "points": [{"size": 8, **point}], "seconds_exponent": 1.01, "memory_exponent": 0.5}
    largest = {"network": "N", "timesteps": 64, "batch": 128, **point}
    results = {"machine": MACHINE, "quick": False, "seconds": 1, "lava": lava}
    text = render({**results, "scaling": {"series": [series], "largest": largest}})
    assert "| 1,250 (>= 1,000: met) |" in text
    assert "| 50 (>= 100: missed) |" in text
    assert "| 8 | 1.000 | 2000 (1500) |" in text
    assert "| exponent | 1.01 | 0.50 |" in text
    assert "2000 MiB (< 1907 MiB = 2 GB: missed)" in text
