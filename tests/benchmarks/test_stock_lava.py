import pytest

from benchmarks.stock_lava import is_plain_shortcut, stock_network, time_stock_lava

pytestmark = pytest.mark.lava


@pytest.fixture(autouse=True)
def lava():
    pytest.importorskip("lava.magma", reason="Lava is not installed")


def test_stock_network_has_our_neurons_and_synapses(tiny):
    stock = stock_network(tiny.network)
    ours = {projection.name: projection for projection in tiny.network.projections}
    shortcuts = {name for name, projection in ours.items() if is_plain_shortcut(projection)}
    assert len(shortcuts) == 3  # one a stage
    assert set(stock.connections) == set(ours) - shortcuts
    assert stock.neuron_count == sum(population.neuron_count for population in tiny.network.populations)
    assert stock.weight_count == sum(ours[name].weights.size for name in stock.connections)
    for name, process in stock.connections.items():
        table = ours[name].connectivity
        if process.__class__.__name__ == "Conv":
            assert process.s_in.shape == table.source_shape[::-1]
            assert process.a_out.shape == table.target_shape[::-1]
    assert {process.__class__.__name__ for process in stock.connections.values()} == {"Conv", "Dense"}


def test_time_of_a_step(tiny):
    measured = time_stock_lava(tiny.folder)
    assert measured["step_seconds"] > 0
    assert measured["start_seconds"] > 0
    assert measured["processes"] == len(tiny.network.populations) + len(tiny.network.projections) - 3
