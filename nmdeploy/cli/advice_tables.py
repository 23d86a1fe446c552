"""What `nmdeploy advise` prints for people."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from nmdeploy.advise.advice import Advice
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork
from nmdeploy.advise.proposals import Goal, Proposal
from nmdeploy.advise.targets import Profile
from nmdeploy.cli.console import key_value_table, stdout_console

# Layers that a cell has room for; --json names all.
MOST_NAMED = 2

GOALS: dict[Goal, str] = {
    "fits": "fits",
    "exact": "is summed in one core",
    "fewer chips": "takes fewer chips",
    "fewer cores": "takes fewer cores",
}


def print_advice(advice: Advice, profile: Profile, time_limit: float) -> None:
    """Print it to stdout.

    Parameters
    ----------
    advice : Advice
    profile : HardwareProfile, CrossbarProfile, LayerCoreProfile or AnalogProfile
    time_limit : float
        In seconds.
    """
    console, before = stdout_console(), advice.before
    rows = [
        ("target", f"{profile.name} ({profile.title})"),
        ("fits", "yes" if before.fits else "no"),
        (advice.unit, _whole(before)),
        ("parameters, MACs", f"{advice.parameters:,}, {advice.macs:,}"),
    ]
    console.print(key_value_table("nmdeploy advise", rows))
    console.print(_layer_table(advice))
    for violation in before.refusals:
        console.print(escape(str(violation)), soft_wrap=True)
    if advice.proposals:
        console.print(_proposal_table(advice))
    for remark in _remarks(advice, time_limit):
        console.print(escape(remark), soft_wrap=True)


def _whole(network: MappedNetwork) -> str:
    if network.cores is None:
        return "none, since not everything fits a core"
    bound = "" if network.cores_bound is None else f" (bound {network.cores_bound:,})"
    chips = "" if network.chips is None else f" on {network.chips:,} chip(s)"
    return f"{network.cores:,}{bound}{chips}"


def _layer_table(advice: Advice) -> Table:
    table = Table(title="layers as they are (layers may share cores)", title_justify="left")
    table.add_column("layer", overflow="fold")
    for column in ("neurons", advice.unit, "share", "binds", "used"):
        table.add_column(column, justify="right")
    table.add_column("inputs", overflow="fold")
    for layer in advice.before.layers:
        used = "-" if layer.binds is None else f"{layer.uses[layer.binds]:.0%}"
        binds = "-" if layer.binds is None else layer.binds.replace("_", " ")
        share = "-" if layer.share is None else f"{layer.share:.0%}"
        cores = "host" if layer.on_host else "-" if layer.cores is None else f"{layer.cores:,}"
        table.add_row(escape(layer.name), f"{layer.neurons:,}", cores, share, binds, used, escape(_inputs(layer)))
    return table


def _inputs(layer: MappedLayer) -> str:
    if layer.refusals:
        reasons = (
            f"{one.rule}: {one.message.rpartition(': ')[2]} ({one.demand:,} > {one.capacity:,})"
            if one.demand is not None and one.capacity is not None
            else f"{one.rule}: {one.message}"
            for one in layer.refusals
        )
        return f"refused: {'; '.join(reasons)}"
    if layer.on_host:
        return "of the sample"
    more = [f"{layer.copies:,} copies"] * (layer.copies > 0) + [f"{layer.relays:,} relays"] * (layer.relays > 0)
    if layer.sum_of is None:
        return "; ".join(["exact", *more])
    needed, room = layer.sum_of
    parts = "part of each sign" if layer.parts == 1 else "parts"
    return "; ".join([f"in {layer.parts} {parts}: {needed:,} > {room:,} axons", *more])


def _proposal_table(advice: Advice) -> Table:
    table = Table(title="smallest changes, each mapped again", title_justify="left")
    table.add_column("so that", overflow="fold")
    table.add_column("change", overflow="fold")
    for column in ("of the layer", f"{advice.unit} of all", "parameters", "MACs"):
        table.add_column(column, justify="right")
    table.add_column("left", overflow="fold")
    for proposal in advice.proposals:
        table.add_row(
            escape(_aim(proposal, advice.before)),
            escape(str(proposal)),
            _of_layer(proposal, advice.before),
            _of_all(proposal),
            _difference(proposal.parameters, advice.parameters),
            _difference(proposal.macs, advice.macs),
            escape(_left(proposal)),
        )
    return table


def _aim(proposal: Proposal, before: MappedNetwork) -> str:
    """What a proposal is for, or what it brings about where it is for no layer."""
    mapped = proposal.mapped
    of_layer = proposal.layer is not None and proposal.goal in ("fits", "exact")
    if of_layer and proposal.layer in before.refused | before.in_parts:
        return f"{proposal.layer} {GOALS[proposal.goal]}"
    if mapped is None or proposal.goal not in ("fits", "exact") or of_layer:
        return f"the network {GOALS[proposal.goal]}"
    left = before.refused - mapped.refused if proposal.goal == "fits" else before.in_parts - mapped.in_parts
    solved = [layer.name for layer in before.layers if layer.name in left]
    if not solved:
        return "-"
    is_one, goal = len(solved) == 1, proposal.goal
    verb = {"fits": "fits" if is_one else "fit", "exact": f"{'is' if is_one else 'are'} summed in one core"}[goal]
    return f"{', '.join(solved)} {verb}"


def _of_layer(proposal: Proposal, before: MappedNetwork) -> str:
    if proposal.layer is None:
        return "-"
    rows = [None if network is None else network.layer(proposal.layer) for network in (before, proposal.mapped)]
    old, new = ("-" if row is None or row.cores is None else f"{row.cores:,}" for row in rows)
    return f"{old} -> {new}"


def _of_all(proposal: Proposal) -> str:
    mapped = proposal.mapped
    if mapped is None or mapped.cores is None:
        return "-"
    chips = "" if mapped.chips is None else f", {mapped.chips:,} chip(s)"
    return f"{mapped.cores:,}{chips}"


def _difference(after: int, before: int) -> str:
    return "as they are" if after == before else f"{(after - before) / before:+.0%}"


def _left(proposal: Proposal) -> str:
    """What is still refused, or summed in parts."""
    mapped = proposal.mapped
    if mapped is None:
        return "not mapped"
    if mapped.refused:
        few = len(mapped.refused) <= MOST_NAMED
        return f"refused: {', '.join(sorted(mapped.refused)) if few else len(mapped.refused)}"
    if not mapped.fits:
        return f"does not fit: {', '.join(sorted({one.rule for one in mapped.refusals}))}"
    return f"{len(mapped.in_parts)} in parts" if mapped.in_parts else "nothing"


def _remarks(advice: Advice, time_limit: float) -> list[str]:
    remarks = []
    if any(proposal.needs_training for proposal in advice.proposals):
        remarks.append(
            "Changed layers, channels and weight bits make another network: train it again with the change. "
            "Counts are those of its shapes; --json has each layer and what is left."
        )
    for layer, goal in advice.without:
        whom = layer if layer in advice.before.refused | advice.before.in_parts else f"{layer}: the network"
        remarks.append(f"No single change of groups, channels or stride does it: {whom} {GOALS[goal]}.")
    remarks += [f"Not offered: {note}" for note in advice.notes]
    if advice.left_out:
        remarks.append(
            f"Left out after {time_limit:g} s (--time-limit): {'; '.join(advice.left_out)}."
        )
    if not advice.before.fits or advice.before.in_parts:
        return remarks
    if not advice.proposals:
        return [*remarks, "The network fits, every sum is exact, and no smaller change gains anything: keep it."]
    return ["The network fits and every sum is exact: nothing has to change. What would take less:", *remarks]
