"""Where a compiled network loses accuracy: over the steps of its window, layer by layer, and in its firing rates."""
