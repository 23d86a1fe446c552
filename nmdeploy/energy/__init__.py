"""Operation counts from spikes and placement, and the energy that a preset gives them."""
