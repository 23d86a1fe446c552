"""What a search may decide, and what the user has decided."""

from __future__ import annotations

from dataclasses import dataclass

from nmdeploy.search.recipe import Compensation


@dataclass(frozen=True)
class Freedom:
    """The parts of a recipe that are open.

    Attributes
    ----------
    methods : tuple of str
        Names of `nmdeploy.convert.methods.METHODS`.
    compensations : tuple of {"none", "bias", "gain"}
    refinement_steps : bool
        Whether the number of refinement steps is open.
    leads : bool
        Whether the lead may be longer than that of the recipe, and which populations do without.
    read_out : bool
        Whether outputs may be read from a later step on than that of the recipe.
    headroom : bool
        Whether scales may be higher than those of the method.
    """

    methods: tuple[str, ...]
    compensations: tuple[Compensation, ...] = ("none", "bias")
    refinement_steps: bool = False
    leads: bool = False
    read_out: bool = False
    headroom: bool = False
