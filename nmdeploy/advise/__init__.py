"""Which layers bind on a target, and the smallest changes of a network with which they fit, each mapped again."""
