"""From a converted network to one that a chip of binary crossbars can run: one file a rewrite."""
