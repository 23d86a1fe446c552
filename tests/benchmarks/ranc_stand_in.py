"""What RANC's simulator does with its input files, neuron by neuron; run as it is, with the same arguments."""

import json
import sys
from collections import defaultdict
from pathlib import Path


def main():
    input_file, output_file, config_file, ticks, trace_option, trace_file = sys.argv[1:]
    assert trace_option == "--trace"
    config, given = json.loads(Path(config_file).read_text()), json.loads(Path(input_file).read_text())
    assert config["neuron_reset_type"] == 0
    assert config["scheduler_trace_verbosity"] == 1
    bus = tuple(given["output_bus"]["coordinates"])
    outputs = given["output_bus"]["num_outputs"]
    arriving = host_packets(given["packets"])
    potentials = {}
    trace = []
    for step in range(int(ticks)):
        for y in range(config["num_cores_y"]):
            for x in range(config["num_cores_x"]):
                if (x, y) != bus:
                    bits = "".join(str(int(axon in arriving[step, (x, y)])) for axon in range(config["num_axons"]))
                    word = f"updates current word to {step % config['max_tick_offset']}."
                    trace.append(f"~~~ Scheduler ({x}, {y}) {word} Current line: {bits}\n")
        for core in given["cores"]:
            run_core(core, step, potentials, arriving, bus, config["max_tick_offset"])
    lines = [[str(int(axon in arriving[step, bus])) for axon in range(outputs)] for step in range(int(ticks))]
    Path(output_file).write_text("".join(" ".join(line) + " \n" for line in lines))
    Path(trace_file).write_text("".join(trace))


def host_packets(packets):
    """Axons by (step, core)."""
    arriving = defaultdict(set)
    for step, of_step in enumerate(packets):
        for packet in of_step:
            arriving[step + packet["destination_tick"], tuple(packet["destination_core"])].add(
                packet["destination_axon"]
            )
    return arriving


def run_core(core, step, potentials, arriving, bus, max_tick_offset):
    x, y = core["coordinates"]
    for number, (neuron, connections) in enumerate(zip(core["neurons"], core["connections"], strict=True)):
        potential = potentials.get((x, y, number), neuron["current_potential"]) + neuron["leak"]
        for axon in arriving[step, (x, y)]:
            potential += connections[axon] * neuron["weights"][core["axons"][axon]]
        if potential >= neuron["positive_threshold"]:
            subtracts = neuron["reset_mode"] == 1
            potential = potential - neuron["positive_threshold"] if subtracts else neuron["reset_potential"]
            target = x + neuron["destination_core_offset"][0], y + neuron["destination_core_offset"][1]
            # the output bus knows no delay: what comes in a step is in the line of the next
            ticks = 0 if target == bus else neuron["destination_tick"]
            assert 0 <= ticks < max_tick_offset - 1
            arriving[step + 1 + ticks, target].add(neuron["destination_axon"])
        assert potential >= neuron["negative_threshold"]
        potentials[x, y, number] = potential


if __name__ == "__main__":
    main()
