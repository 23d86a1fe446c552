"""From which step of their window on outputs are read, by measured agreement.

Neurons without a count memory cannot take spikes back that the first steps of their input made them send, so their
rates are better later in the window. A later read-out leaves these steps out, and has fewer to count in.
"""

from __future__ import annotations

from dataclasses import replace

from nmdeploy.search.recipe import Compensation
from nmdeploy.search.trials import Trial, Trials

# Parts of the window that are left out.
SHARES = (8, 4, 2)


def delay_read_out(trials: Trials, begun: Trial, compensations: tuple[Compensation, ...]) -> Trial:
    """Try later read-outs, with the errors of the later steps compensated.

    Parameters
    ----------
    trials : Trials
    begun : Trial
    compensations : tuple of {"none", "bias", "gain"}
        Those allowed.

    Returns
    -------
    Trial
        `begun`, if none agrees better.
    """
    results = [begun]
    for step in sorted({trials.options.timesteps // share for share in SHARES} - {0}):
        delayed = trials.attempt(replace(begun.built.recipe, read_out_step=step))
        if "none" in compensations:
            results.append(delayed)
        results += [trials.compensated(delayed, one) for one in compensations if one != "none"]
    return min(results, key=lambda trial: trial.judgement.rank)
