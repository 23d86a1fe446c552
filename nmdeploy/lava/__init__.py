"""Lava processes of a compiled network, and running them in a disposable child process.

`build` emits the processes, `stock` the same network from the processes that Lava brings along where its
semantics allow that, and `runner` (the only part that needs no Lava) runs a network file on samples.
"""
