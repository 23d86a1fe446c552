"""Broken rules of a crossbar program, counted one entry at a time in dictionaries."""

from __future__ import annotations

from collections import Counter

from crossbar_examples import needed_axons, neurons_of_tile, read_by_host

from mapping.crossbar_program import TO_HOST


def listed(table):
    """Entries of columns or axons as tuples of int."""
    return list(zip(*(getattr(table, name).tolist() for name in table.__dataclass_fields__), strict=True))


def naive_counts(example):
    """How often each rule of the program is broken, by rule and core.

    For networks and placements that are legal and whose cores have room for what they need.
    """
    count = NaiveCount(example)
    count.read_axons()
    count.read_columns()
    count.judge_axons()
    count.judge_neurons()
    return {place: times for place, times in count.broken.items() if times}


class NaiveCount:
    """One reading of a program."""

    def __init__(self, example):
        self.program, self.profile, self.network = example.program, example.profile, example.network
        self.projections = self.network.projections
        self.names = [one.name for one in self.network.populations]
        self.cores = len(example.placement.cores)
        dealt = [record.tiles for record in example.placement.cores]
        self.wanted = needed_axons(self.network, dealt)
        self.read = read_by_host(self.network)
        self.home = {
            (tile.population, neuron): core
            for core, tiles in enumerate(dealt)
            for tile in tiles
            for neuron in neurons_of_tile(self.network, tile)
        }
        self.broken = Counter()
        self.axons_at, self.known_axons = {}, {}
        self.drivers, self.columns, self.to_host = Counter(), Counter(), Counter()

    def read_axons(self):
        seen, served = set(), set()
        for row, (core, axon, kind, number, source, copy) in enumerate(listed(self.program.axons)):
            lies = 0 <= core < self.cores and 0 <= axon < self.profile.crossbar.axons.value
            if lies:
                self.broken["NMD807", core] += (core, axon) in seen
                seen.add((core, axon))
                self.axons_at[core, axon] = row
            if not (lies and is_copy(self.network, self.projections, number, source, copy)):
                self.broken["NMD805", core] += 1
                continue
            slot = (core, number, source, copy)
            self.known_axons[row] = (self.projections[number], source)
            self.broken["NMD808", core] += kind != self.projections[number].axon_types[copy]
            self.broken["NMD810", core] += slot not in self.wanted or slot in served
            served.add(slot)
        for core, *_ in self.wanted - served:
            self.broken["NMD809", core] += 1

    def read_columns(self):
        seen = set()
        formats = self.profile.number_formats
        for core, column, number, neuron, *aim, delay in listed(self.program.columns):
            lies = 0 <= core < self.cores and 0 <= column < self.profile.crossbar.neurons.value
            if lies:
                self.broken["NMD806", core] += (core, column) in seen
                seen.add((core, column))
            axon = self.axons_at.get(tuple(aim))
            late = not formats.delay_min.value <= delay <= formats.delay_max.value
            self.broken["NMD818", core] += late
            self.broken["NMD813", core] += axon is None and aim != [TO_HOST, 0]
            if lies and axon is not None:
                self.drivers[axon] += 1
            name = self.names[number] if 0 <= number < len(self.names) else None
            if lies and (name, neuron) in self.home:
                self.judge_column(core, (name, neuron), axon, aim == [TO_HOST, 0], None if late else delay)
            else:
                self.broken["NMD804", core] += 1

    def judge_column(self, core, neuron, axon, to_host, delay):
        """A column of a neuron that exists; its delay is None if it has been judged already."""
        self.broken["NMD811", core] += self.home[neuron] != core
        self.columns[neuron] += 1
        if to_host:
            self.to_host[neuron] += 1
            outgoing = [one for one in self.projections if one.source == neuron[0]]
            allowed = {1 + one.delay for one in outgoing if self.network.population(one.target).on_host}
            self.broken["NMD817", core] += bool(allowed) and delay not in {*allowed, None}
        elif axon in self.known_axons:
            projection, source = self.known_axons[axon]
            self.broken["NMD814", core] += (projection.source, source) != neuron
            self.broken["NMD817", core] += delay not in (1 + projection.delay, None)

    def judge_axons(self):
        for row, (core, *_) in enumerate(listed(self.program.axons)):
            self.broken["NMD815", core] += self.drivers[row] > 1
            if row in self.known_axons and not self.network.population(self.known_axons[row][0].source).on_host:
                self.broken["NMD816", core] += self.drivers[row] == 0

    def judge_neurons(self):
        driven = Counter((self.projections[number].source, source) for _, number, source, _ in self.wanted)
        for neuron, core in self.home.items():
            unsent = self.columns[neuron] > 0 and self.to_host[neuron] == 0
            self.broken["NMD812", core] += self.columns[neuron] == 0
            self.broken["NMD819", core] += neuron in self.read and unsent
            self.broken["NMD820", core] += self.to_host[neuron] > (neuron in self.read or driven[neuron] == 0)


def is_copy(network, projections, number, source, copy):
    """Whether a projection into the chip has this copy of a source neuron."""
    if not 0 <= number < len(projections):
        return False
    projection = projections[number]
    return (
        not network.population(projection.target).on_host
        and 0 <= source < network.population(projection.source).neuron_count
        and 0 <= copy < len(projection.axon_types)
    )
