"""The option that names an energy preset."""

from __future__ import annotations

from typing import Annotated

import typer

from hw_profiles.energy import energy_presets

PresetOption = Annotated[
    str, typer.Option("--preset", help=f"Of the energy: {', '.join(energy_presets())}; or a .toml file of your own.")
]
