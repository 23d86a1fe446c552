"""What is refused before Lava starts, and how samples are laid out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.network import build_graph
from nmdeploy.errors import BackendError
from nmdeploy.lava.batches import BATCH_MAX, Batches, default_batch, window_currents
from nmdeploy.lava.job import SHARED_MEMORY

from .worked_example import worked_example


@given(samples=st.integers(1, 300), batch=st.integers(1, 40))
def test_batches_hold_all_samples_with_little_padding(samples, batch):
    batches = Batches.of(samples, batch)
    assert batches.batch <= batch
    assert 0 <= batches.batch * batches.windows - samples < batches.windows
    assert batches.windows == -(-samples // batch)


def with_shape(shape):
    network = worked_example()
    source, target = network.populations
    graph = build_graph([dataclasses.replace(source, shape=shape), target], network.projections)
    return dataclasses.replace(network, graph=graph)


@pytest.mark.skipif(not SHARED_MEMORY.is_dir(), reason="no /dev/shm on this system")
def test_batch_follows_shared_memory():
    assert default_batch(worked_example()) == BATCH_MAX
    with pytest.raises(BackendError, match="bytes of shared memory for one sample"):
        default_batch(with_shape((1000, 10**5, 10**5)))


@pytest.mark.lava
def test_sums_beyond_the_messages_of_lava_are_refused():
    pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")
    from nmdeploy.lava.emit_layers import emit_layers

    network = dataclasses.replace(worked_example(), synapse_exponent=28)
    samples = np.zeros((1, 1, 1, 1), dtype=np.float32)
    currents = window_currents(network, samples, Batches(1, 1, 1))
    with pytest.raises(BackendError, match=r"out: the synaptic input of a step may reach .* beyond the 32 bits"):
        emit_layers(network, currents, batch=1, windows=1)
