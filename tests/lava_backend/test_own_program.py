"""The processes in a Lava program that a user writes: stock sources, Lava's own run and Vars."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.lava

PROGRAM = textwrap.dedent(
    """
    import numpy as np
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.source import RingBuffer
    from nmdeploy.lava.processes.dense import Dense
    from nmdeploy.lava.processes.integrate_and_fire import IntegrateAndFire
    from nmdeploy.lava.window_clock import WindowClock

    source = RingBuffer(data=np.ones((1, 1, 1, 2, 3), dtype=np.int32))
    dense = Dense(weights=np.array([[2, 1], [-4, 1]]).reshape(2, 2, 1, 1), shift=1)
    neurons = IntegrateAndFire(
        shape=(1, 1, 1, 2), clock=WindowClock(1, 4, 1), current=np.zeros((1, 1, 1, 1, 2), int),
        reset="subtract", threshold=np.array([12, 99]), initial_potential=np.zeros(2, int), state_max=15,
    )
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(neurons.a_in)
    neurons.run(RunSteps(5), Loihi2SimCfg(select_tag="fixed_pt"))
    print(neurons.potential.get().ravel(), neurons.spikes.get(), neurons.saturations.get())
    dense.weights.set(np.zeros((2, 2, 1, 1)))
    neurons.stop()
    """
)


def test_vars_hold_potentials_spikes_and_saturations(tmp_path):
    pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    # 6, 12 (a spike), 6, 12 (a spike); -6, -12, -18 cut to -15, -21 cut to -15
    assert ran.stdout.split("\n")[-2] == "[  0. -15.] [2.] [2.]", ran.stdout + ran.stderr
