"""A Lava program of one's own around a compiled network: Lava's sources and sinks at its ports, Lava's own `run`.

python -m examples.digits.own_lava_program digits.nmd digits_test.npz
"""

import sys
from pathlib import Path

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.sink import RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source

import nmdeploy.lava
from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.decode import decode

SAMPLES = 5


def main(folder: str, data_file: str) -> None:
    artifact = read_artifact(Path(folder))
    with np.load(data_file) as data:
        images, labels = data["x"][:SAMPLES], data["y"][:SAMPLES]
    program = nmdeploy.lava.build(artifact)
    steps = program.steps_for(SAMPLES)

    # The input: currents into the first population, each sample's for the steps of its window that take input.
    for name, currents in nmdeploy.lava.input_currents(artifact, images).items():
        population, clock = program.populations[name], program.clocks[name]
        schedule = np.zeros((*population.a_in.shape, steps), dtype=np.int32)
        for step in range(steps):
            position = clock.position(step + 1)
            if position is not None and position.takes_input and position.window < SAMPLES:
                schedule[0, ..., step] = currents[position.window]
        Source(data=schedule).s_out.connect(population.a_in)

    # The result: the membrane potentials of the output population, after every step.
    network = artifact.network
    output = network.outputs[0].name
    neurons = program.populations[output]
    sink = Sink(shape=neurons.v_out.shape, buffer=steps)
    neurons.v_out.connect(sink.a_in)

    done = 0
    for sample in range(SAMPLES):
        until = program.steps_for(sample + 1)
        neurons.run(RunSteps(until - done), Loihi2SimCfg(select_tag="fixed_pt"))
        done = until
        print(f"after sample {sample}: {int(program.populations[name].spikes.get()[0]):,} spikes of {name} so far")
    potentials = sink.data.get().astype(np.int64)[0, 0, 0]
    neurons.stop()

    ends = [program.clocks[output].end_step(sample + 1) for sample in range(SAMPLES)]
    windows = np.stack([potentials[:, end - network.timesteps : end].T for end in ends])
    print("predicted", *decode(network, windows).argmax(axis=1))
    print("labels   ", *labels)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
