"""Names of the peers' ways to convert, which the benchmark asks their processes for; needs no peer."""

LAYER_WISE = "SpikingJelly, 99.9 % of a layer"
CHANNEL_WISE = "SpikingJelly, 99.9 % of a channel, half threshold"
LOCAL_BALANCING = "SpikingJelly, local threshold balancing"
SPIKINGJELLY_RECIPES = (LAYER_WISE, CHANNEL_WISE, LOCAL_BALANCING)

MANY_SPIKES = "sinabs, several spikes a step"
CAPPED = "sinabs, one spike a step"
NORMALISED = "sinabs, one spike a step, 99.9 % of a layer"
SINABS_RECIPES = (MANY_SPIKES, CAPPED, NORMALISED)
