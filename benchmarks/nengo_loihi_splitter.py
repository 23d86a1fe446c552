"""nengo-loihi's own splitting of a network into cores: ``python -m benchmarks.nengo_loihi_splitter FILE``.

Runs in its environment. FILE is what `benchmarks.mapping_peers` writes. Prints JSON: for each way to split, every core.
"""

import json
import sys
from pathlib import Path

import nengo
import nengo_loihi
import numpy as np
from nengo.exceptions import BuildError
from nengo_loihi.builder import Model
from nengo_loihi.builder.builder import ValidationLevel
from nengo_loihi.builder.validate import validate_block

SEED = 0


def built(case, tiles):
    """The model, split, of which no limit was looked at yet; by itself where there are no tiles."""
    with nengo.Network(seed=SEED) as network:
        nengo_loihi.add_params(network)
        ensembles = {one["name"]: ensemble(network, one, tiles.get(one["name"])) for one in case["populations"]}
        generator = np.random.default_rng(SEED)
        for one in case["projections"]:
            ends = ensembles[one["source"]].neurons, ensembles[one["target"]].neurons
            nengo.Connection(*ends, transform=transform(one, generator), synapse=None)
    model = Model(dt=0.001)
    model.validation_level = ValidationLevel.NONE
    model.build(network)
    return model


def ensemble(network, population, tile):
    """One neuron for each of a population, in the order of rows, columns and channels."""
    channels, rows, columns = population["shape"]
    count = channels * rows * columns
    made = nengo.Ensemble(
        count,
        dimensions=1,
        gain=np.ones(count),
        bias=np.zeros(count),
        encoders=np.ones((count, 1)),
        neuron_type=nengo_loihi.LoihiSpikingRectifiedLinear(),
        label=population["name"],
    )
    network.config[made].on_chip = True
    if tile is not None:
        tile_channels, tile_rows, tile_columns = tile
        shape = (tile_rows, tile_columns, tile_channels), (rows, columns, channels)
        network.config[made].block_shape = nengo_loihi.BlockShape(*shape)
    return made


def transform(projection, generator):
    """A convolution with random weights where it is one; else a matrix with a weight for every synapse.

    With stride 2 nengo pads behind the map, where torch pads in front of it: as many synapses.
    """
    inputs, outputs = projection["source_shape"], projection["target_shape"]
    tables = [np.array(projection[axis]) for axis in ("rows", "columns")]
    whole = projection["source_channels"] == [0, inputs[0]] and projection["target_channels"] == [0, outputs[0]]
    if projection["groups"] > 1 or not whole or outputs[1:] == [1, 1]:
        return sparse(projection, tables, generator)
    kernel = tuple(table.shape[1] for table in tables)
    made = nengo.Convolution(
        n_filters=outputs[0],
        input_shape=(*inputs[1:], inputs[0]),
        kernel_size=kernel,
        strides=tuple(map(stride, tables)),
        padding="same" if (tables[0] < 0).any() else "valid",
        init=generator.uniform(-1, 1, (*kernel, inputs[0], outputs[0])),
    )
    if made.output_shape.shape != (*outputs[1:], outputs[0]):
        raise ValueError(f"{projection['target']}: nengo makes {made.output_shape.shape} of it")
    return made


def stride(table):
    """How far the taps of neighbouring targets are apart."""
    inside = (table[1:] >= 0) & (table[:-1] >= 0)
    return int((table[1:] - table[:-1])[inside].max(initial=1))


def sparse(projection, tables, generator):
    """Every synapse as an entry of a sparse matrix."""
    inputs, outputs, groups = projection["source_shape"], projection["target_shape"], projection["groups"]
    (first_in, last_in), (first_out, last_out) = projection["source_channels"], projection["target_channels"]
    of_inputs, of_outputs = (last_in - first_in) // groups, (last_out - first_out) // groups
    channel = np.arange(last_out - first_out)
    read = first_in + channel[:, None] // of_outputs * of_inputs + np.arange(of_inputs)
    ends = []
    for row, column in np.ndindex(len(tables[0]), len(tables[1])):
        taps = np.array([(y, x) for y in tables[0][row] for x in tables[1][column] if y >= 0 and x >= 0]).reshape(-1, 2)
        places = (taps[:, 0] * inputs[2] + taps[:, 1]) * inputs[0]
        source = (places[:, None, None] + read).ravel()
        target = (row * outputs[2] + column) * outputs[0] + first_out + channel[:, None]
        target = np.broadcast_to(target, (len(taps), *read.shape)).ravel()
        ends.append(np.stack([target, source], axis=1))
    indices = np.concatenate(ends)
    return nengo.Sparse(
        (int(np.prod(outputs)), int(np.prod(inputs))),
        indices=indices,
        init=generator.uniform(0.1, 1, len(indices)),
    )


def blocks(model):
    """Each block of the model, which is a core: its population and neurons, what it reads, what its validator says."""
    found = []
    for block in model.blocks:
        try:
            validate_block(block)
            refusal = ""
        except BuildError as error:
            refusal = str(error)
        found.append(
            {
                "population": block.label.split("'")[1],
                "neurons": block.compartment.n_compartments,
                "source_neurons": sum(
                    synapse.axon_populations(axon) for synapse in block.synapses for axon in range(synapse.n_axons)
                ),
                "refusal": refusal,
            }
        )
    return found


def split_until_legal(case, tiles):
    """Blocks of tiles of which those that its validator refuses were halved, channels first, until it refuses none."""
    tiles = {name: list(tile) for name, tile in tiles.items()}
    while True:
        found = blocks(built(case, tiles))
        refused = {block["population"] for block in found if block["refusal"]}
        if all(tiles[name] == [1, 1, 1] for name in refused):
            return found
        for name in refused:
            axis = next((axis for axis, size in enumerate(tiles[name]) if size > 1), 0)
            tiles[name][axis] = -(-tiles[name][axis] // 2)


def main():
    case = json.loads(Path(sys.argv[1]).read_text())
    tiles = {one["name"]: one["tile"] for one in case["populations"]}
    ways = {
        "itself": lambda: blocks(built(case, {})),
        "our tiles": lambda: blocks(built(case, tiles)),
        "our tiles, halved where refused": lambda: split_until_legal(case, tiles),
    }
    found = {}
    for way, split in ways.items():
        try:
            found[way] = {"blocks": split()}
        except Exception as error:  # whatever it refuses is the answer
            found[way] = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
