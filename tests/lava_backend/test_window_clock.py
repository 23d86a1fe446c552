"""When populations take input and when they fire, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.neuron_models import CountMemory, PoolCounts
from nmdeploy.lava.window_clock import WindowClock


@given(
    start=st.integers(0, 5),
    timesteps=st.integers(1, 6),
    windows=st.integers(1, 4),
    lead=st.integers(0, 7),
    wider=st.integers(0, 3),
)
def test_each_step_of_each_window_comes_once_and_in_order(start, timesteps, windows, lead, wider):
    gap = lead + wider
    clock = WindowClock(start, timesteps, windows, gap, lead)
    expected = {}
    for window in range(windows):
        first = start + window * (timesteps + gap)
        for step in range(timesteps + lead):
            firing = step - lead if step >= lead else None
            expected[first + step] = (window, step, step < timesteps, firing)
    found = {now: clock.position(now + 1) for now in range(max(expected) + timesteps + gap + 5)}
    assert {now: position for now, position in found.items() if position is not None} == expected
    assert clock.end_step(windows) == max(expected) + 1
    assert clock.firing_start_step == start + lead


def test_windows_without_end_go_on():
    clock = WindowClock(2, 3, None, 1, 1)
    assert clock.position(1 + 2 + 4 * 1000) == (1000, 0, True, None)
    assert clock.position(1 + 1) is None


def test_lead_that_would_reach_into_the_next_window_is_refused():
    with pytest.raises(ValueError, match="a lead of 2 steps needs as many between windows, not 1"):
        WindowClock(0, 4, 1, 1, 2)


@pytest.mark.lava
def test_processes_refuse_the_clock_of_other_neurons():
    pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")
    from nmdeploy.lava.processes.count_maximum import CountMaximum
    from nmdeploy.lava.processes.count_memory import CountMemoryNeurons

    clock, one = WindowClock(0, 4, 1, 2, 2), np.ones(1, dtype=np.int64)
    common = {"shape": (1, 1, 1, 1), "clock": clock}
    with pytest.raises(ValueError, match="neurons with a lead of 1 steps on a clock with one of 2"):
        CountMemoryNeurons(
            **common, current=np.zeros((1, 1, 1, 1, 1)), memory=CountMemory(1), threshold=one, initial_potential=one
        )
    with pytest.raises(ValueError, match="maxima over counts on a clock with a lead of 2 steps"):
        CountMaximum(**common, pool=PoolCounts(2), exists=np.ones((1, 1, 1, 1), dtype=np.bool_))
