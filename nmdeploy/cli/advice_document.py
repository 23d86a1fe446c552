"""What `nmdeploy advise --json` prints."""

from __future__ import annotations

from dataclasses import asdict

from nmdeploy.advise.advice import Advice
from nmdeploy.advise.mapped import MappedLayer, MappedNetwork
from nmdeploy.advise.proposals import Proposal, reached


def advice_document(advice: Advice, target: str, seconds: float) -> dict[str, object]:
    """The advice as plain values.

    Parameters
    ----------
    advice : Advice
    target : str
        Name of the target.
    seconds : float
        That it took.
    """
    before = advice.before
    return {
        "target": target,
        "unit": advice.unit,
        "fits": before.fits,
        "cores": before.cores,
        "cores_bound": before.cores_bound,
        "chips": before.chips,
        "parameters": advice.parameters,
        "macs": advice.macs,
        "violations": [violation.as_dict() for violation in before.refusals],
        "layers": [_layer(layer) for layer in before.layers],
        "wanted": [{"layer": layer, "goal": goal} for layer, goal in advice.wanted],
        "proposals": [_proposal(one, before) for one in advice.proposals],
        "without_proposal": [{"layer": layer, "goal": goal} for layer, goal in advice.without],
        "left_out": list(advice.left_out),
        "notes": list(advice.notes),
        "seconds": round(seconds, 3),
    }


def _layer(layer: MappedLayer) -> dict[str, object]:
    return {
        "name": layer.name,
        "weights_of": list(layer.weighted),
        "on_host": layer.on_host,
        "neurons": layer.neurons,
        "cores": layer.cores,
        "share": None if layer.share is None else round(layer.share, 6),
        "binds": layer.binds,
        "uses": {name: round(share, 6) for name, share in layer.uses.items()},
        "exact": layer.is_exact,
        "parts": layer.parts,
        "inputs_of_sum": None if layer.sum_of is None else layer.sum_of[0],
        "inputs_of_core": None if layer.sum_of is None else layer.sum_of[1],
        "copies": layer.copies,
        "relays": layer.relays,
        "violations": [violation.as_dict() for violation in layer.refusals],
    }


def _proposal(proposal: Proposal, before: MappedNetwork) -> dict[str, object]:
    mapped = proposal.mapped
    layer = None if mapped is None or proposal.layer is None else mapped.layer(proposal.layer)
    return {
        "layer": proposal.layer,
        "goal": proposal.goal,
        "reached": None if mapped is None else reached(mapped, before, proposal.layer, proposal.goal),
        "changes": [asdict(change) for change in proposal.changes],
        "weight_bits": proposal.weight_bits,
        "split_fan_in": proposal.split_fan_in,
        "needs_training": proposal.needs_training,
        "parameters": proposal.parameters,
        "macs": proposal.macs,
        "fits": None if mapped is None else mapped.fits,
        "layer_cores": None if layer is None else layer.cores,
        "cores": None if mapped is None else mapped.cores,
        "chips": None if mapped is None else mapped.chips,
        "refused": None if mapped is None else sorted(mapped.refused),
        "in_parts": None if mapped is None else sorted(mapped.in_parts),
        "violations": None if mapped is None else [violation.as_dict() for violation in mapped.refusals],
    }
