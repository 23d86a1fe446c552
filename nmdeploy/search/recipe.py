"""Recipes: everything that decides how a converted network becomes integers, and the recipes of two papers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hw_profiles import MeshProfile
from nmdeploy.convert.methods import METHODS
from nmdeploy.errors import NmdeployError
from nmdeploy.quantize.neuron_choice import NeuronChoice, NeuronName, most_accurate

Compensation = Literal["none", "bias", "gain"]
AUTO: Literal["auto"] = "auto"
PRESETS = ("spiking-yolo", "spiking-resnet")


@dataclass(frozen=True)
class Recipe:
    """One way to convert.

    Attributes
    ----------
    method : str
        Normalisation, a name of `nmdeploy.convert.methods.METHODS`.
    neurons : NeuronChoice
    compensation : {"none", "bias", "gain"}
        Layer-wise error compensation measured on the integer network: the mean error of each channel taken out by its
        bias, or the best of a few gains of each layer.
    initial_potential_share : float
        Of the threshold, for neurons without count memory.
    shortcut_normalisation : bool
        Off, shortcuts keep the weights that they have without scales (what Spiking ResNet compares with).
    refinement_steps : int
        Last steps of the window that weigh a half, a quarter, ... of the others.
    read_out_step : int
        First step of the window from which on outputs are read.
    headroom : float
        Factor of the method's scales.
    """

    method: str
    neurons: NeuronChoice = field(default_factory=NeuronChoice)
    compensation: Compensation = "bias"
    initial_potential_share: float = 0.5
    shortcut_normalisation: bool = True
    refinement_steps: int = 0
    read_out_step: int = 0
    headroom: float = 1.0

    def __str__(self) -> str:
        raised = f" x {self.headroom:.3g}" if self.headroom != 1.0 else ""
        parts = [self.method + raised, self.neurons.name]
        if self.neurons.lead:
            without = len(self.neurons.without_lead)
            parts.append(f"lead {self.neurons.lead}" + (f" ({without} without)" if without else ""))
        if self.refinement_steps:
            parts.append(f"refinement steps: {self.refinement_steps}")
        if self.read_out_step:
            parts.append(f"read from step {self.read_out_step} on")
        if self.compensation != "none":
            parts.append(f"{self.compensation} compensation")
        return ", ".join(parts)


def preset(name: str, profile: MeshProfile) -> Recipe:
    """The recipe of a paper, as it was published.

    Parameters
    ----------
    name : {"spiking-yolo", "spiking-resnet"}
        Spiking-YOLO (Kim et al., AAAI 2020): channel-wise normalisation by the maximum, signed neurons with imbalanced
        threshold, potentials from 0. On chips without spikes of -1 two populations stand for each signed one.
        Spiking ResNet (Hu et al. 2018, with its published code): one scale a layer by the 99.9th percentile, shortcut
        normalisation, potentials from half the threshold, which is its compensation of the sampling error.
    profile : MeshProfile

    Raises
    ------
    NmdeployError
        There is no such preset.
    """
    if name == "spiking-yolo":
        signed: NeuronName = "imbalanced" if "imbalanced" in profile.neuron_models.names else "if"
        return Recipe("channel-max", NeuronChoice(signed), "none", initial_potential_share=0.0)
    if name == "spiking-resnet":
        return Recipe("layer-percentile", NeuronChoice("if"), "none")
    raise NmdeployError(f"unknown preset '{name}'. Known: {', '.join(PRESETS)}")


def default_neurons(profile: MeshProfile, reset: str) -> NeuronChoice:
    """The most accurate neurons of a target, as they are recommended.

    Parameters
    ----------
    profile : MeshProfile
    reset : {"subtract", "zero"}
        Neurons that reset to zero have no count memory.
    """
    return recommended_neurons(most_accurate(profile) if reset == "subtract" else "if")


def recommended_neurons(name: NeuronName) -> NeuronChoice:
    """Neurons of this name with the lead and release that docs/conversion.md recommends."""
    if name == "paced":
        return NeuronChoice("paced", lead=1, release="threshold")
    return NeuronChoice(name, release="threshold" if name == "signed" else "never")


def check_method(name: str) -> None:
    """Refuse unknown names.

    Raises
    ------
    NmdeployError
    """
    known = (AUTO, *PRESETS, *METHODS)
    if name not in known:
        raise NmdeployError(f"unknown method '{name}'. Known: {', '.join(known)}")
