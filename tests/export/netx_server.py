"""Loads ``.net`` files with lava-dl's netx and runs them on Lava, one job a line of standard input.

A process of its own: lava-dl imports torch, which takes seconds and must not be there when Lava forks for others.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from lava.lib.dl.netx.hdf5 import Network
from lava.lib.dl.netx.utils import optimize_weight_bits
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights


def run(net, sent, timesteps, result):
    """Spikes of each layer in every step, (neurons as Lava has them, steps), and the last potentials."""
    network = Network(net_config=net, reset_interval=timesteps)
    data = np.load(sent)
    layers = network.layers
    steps = data.shape[-1] + len(layers) - 1
    source = Source(data=data)
    source.s_out.connect(network.in_layer.neuron.a_in)
    sinks = []
    for layer in layers:
        sinks.append(Sink(shape=layer.neuron.s_out.shape, buffer=steps))
        layer.neuron.s_out.connect(sinks[-1].a_in)
    network.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    found = {f"layer {number}": sink.data.get() for number, sink in enumerate(sinks)}
    found["potential"] = network.out_layer.neuron.v.get()
    network.stop()
    np.savez(result, **found)


def carried(weights, result):
    """Weights as netx and Lava's Dense carry them."""
    weights, bits, exponent, _ = optimize_weight_bits(np.load(weights))
    sign_mode = determine_sign_mode(weights)
    kept = truncate_weights(clip_weights(weights, sign_mode, num_bits=8), sign_mode, bits)
    np.save(result, kept / 2.0**-exponent)


for line in sys.stdin:
    job = json.loads(line)
    {"run": run, "carried": carried}[job.pop("job")](**job)
    print("done", file=sys.stderr, flush=True)
