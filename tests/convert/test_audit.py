"""What the audit says of each activation, and how networks without an exact form are refused."""

import pytest
import torch
import torch.nn.functional as F
from convertible_networks import IMAGE, Net, chain, conv, samples, settled
from torch import nn

from nmdeploy.convert.lower_layers import lower_layers
from nmdeploy.errors import UnsupportedNetworkError
from nmdeploy.frontend.trace import trace
from nmdeploy.simplify import simplify


def lowered(module, shape=IMAGE):
    return lower_layers(simplify(trace(settled(module), samples(*shape))))


def audit_of(module, shape=IMAGE):
    return lowered(module, shape)[1]


def problems_of(module, shape=IMAGE):
    with pytest.raises(UnsupportedNetworkError) as refusal:
        lowered(module, shape)
    return refusal.value.problems


class Everything(nn.Module):
    """One activation of each kind, by name."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 3, 3, padding=1)
        self.relu, self.relu_again = nn.ReLU(), nn.ReLU()
        self.relu6, self.leaky, self.prelu = nn.ReLU6(), nn.LeakyReLU(0.1), nn.PReLU(3)
        self.max = nn.MaxPool2d(2)
        self.between = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))
        self.out, self.softmax = nn.Linear(27, 5), nn.Softmax(1)

    def forward(self, x):
        x = self.relu_again(self.relu(self.conv(x)))
        x = self.relu6(self.between[0](x))
        x = self.leaky(self.between[1](x))
        x = self.max(self.prelu(self.between[2](x)))
        return self.softmax(self.out(x.flatten(1)))


def test_every_activation_is_listed_with_what_became_of_it():
    network, audit = lowered(Everything())
    entries = {entry.layer: entry for entry in audit.entries}
    assert {name: entry.operator for name, entry in entries.items()} == {
        "relu": "ReLU",
        "relu_again": "ReLU",
        "relu6": "ReLU",
        "leaky": "LeakyReLU",
        "prelu": "LeakyReLU",
        "max": "MaxPool",
        "softmax": "Softmax",
    }
    assert audit.activations_converted == audit.activations_total == 7
    assert {name: len(entry.replaced_by) for name, entry in entries.items()} == {
        "relu": 1,
        "relu_again": 0,
        "relu6": 1,
        "leaky": 2,
        "prelu": 2,
        "max": 2,
        "softmax": 0,
    }
    assert "never negative" in entries["relu_again"].how
    assert "clipped at 6" in entries["relu6"].how
    assert "host" in entries["softmax"].how
    assert all(entry.exact for entry in audit.entries)
    rectifiers = {population.name for population in network.populations if population.activation == "rectifier"}
    replaced_by = [name for entry in audit.entries for name in entry.replaced_by]
    assert sorted(replaced_by) == sorted(rectifiers)


def test_the_audit_as_json_keeps_every_entry():
    audit = audit_of(Everything())
    written = audit.as_dict()
    assert [entry["layer"] for entry in written["entries"]] == [entry.layer for entry in audit.entries]
    assert written["activations_converted"] == written["activations_total"] == 7


@pytest.mark.parametrize(
    "between",
    [nn.AvgPool2d(2), nn.Upsample(scale_factor=2), nn.ZeroPad2d(1), nn.MaxPool2d(1)],
    ids=lambda part: type(part).__name__,
)
def test_rectifier_of_a_never_negative_value_is_absorbed(between):
    audit = audit_of(chain(conv(4, 3), nn.ReLU(), between, nn.ReLU(), conv(3, 2)))
    assert [bool(entry.replaced_by) for entry in audit.entries if entry.operator == "ReLU"] == [True, False]


@pytest.mark.parametrize(
    "module",
    [
        chain(conv(4, 3), nn.ReLU(), nn.BatchNorm2d(3), nn.ReLU()),
        chain(nn.AvgPool2d(1), nn.ReLU()),
        Net(lambda self, x: F.relu(self.a(x).relu() * -1.0 + 0.5), a=conv(4, 3)),
        Net(lambda self, x: F.relu(self.a(x).relu() - 0.1), a=conv(4, 3)),
        Net(lambda self, x: F.relu(self.a(x).relu() + x), a=conv(4, 4)),
    ],
    ids=["affine", "input", "negative weight", "negative bias", "added to the input"],
)
def test_rectifier_of_what_may_be_negative_is_not_absorbed(module):
    last = audit_of(module).entries[-1]
    assert last.operator == "ReLU"
    assert last.replaced_by


def test_a_rectifier_with_a_ceiling_is_never_absorbed():
    entries = audit_of(chain(conv(4, 3), nn.ReLU(), nn.ReLU6())).entries
    assert [len(entry.replaced_by) for entry in entries] == [1, 1]


def test_names_stay_unique_where_one_value_is_rectified_twice():
    module = Net(lambda self, x: F.relu(self.a(x)) + F.hardtanh(self.a(x), 0.0, 0.1), a=conv(4, 3))
    network, audit = lowered(module)
    names = [population.name for population in network.populations]
    assert len(set(names)) == len(names)
    assert audit.activations_converted == 2


REFUSED = {
    "leaky": (chain(nn.Flatten(), nn.LeakyReLU(0.1)), "1: LeakyReLU after flattening"),
    "normalisation": (
        chain(conv(4, 3), nn.Flatten(), nn.BatchNorm1d(126)),
        "2: normalisation or scaling after flattening",
    ),
    "addition": (
        Net(
            lambda self, x: self.a(x).flatten(1) + self.b(x).flatten(1),
            a=conv(4, 1),
            b=conv(4, 2, (3, 4), padding=(1, 0)),
        ),
        "addition of flattened maps of different shapes",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_exact_form_is_refused_by_name(name):
    module, expected = REFUSED[name]
    problems = problems_of(module)
    assert len(problems) == 1
    assert expected in problems[0]


def test_a_rectifier_after_flattening_is_one_entry():
    (entry,) = audit_of(chain(conv(4, 3), nn.Flatten(), nn.ReLU(), nn.Linear(126, 2))).entries
    assert entry.replaced_by == ("1",)


def test_all_problems_are_listed_at_once():
    def forward(self, x):
        a = self.leaky(self.conv(x).flatten(1))
        b = self.norm(self.conv(x).flatten(1))
        return self.after(a), b

    module = Net(
        forward, conv=conv(4, 3), leaky=nn.LeakyReLU(0.1), norm=nn.BatchNorm1d(126), after=nn.Linear(126, 2)
    )
    problems = problems_of(module)
    assert [problem.partition(":")[0] for problem in problems] == ["leaky", "norm"]
    with pytest.raises(UnsupportedNetworkError, match="2 problems"):
        lowered(module)


def test_locations_point_into_the_source():
    def forward(self, x):
        return torch.relu(self.a(x))

    (entry,) = audit_of(Net(forward, a=conv(4, 3))).entries
    file, _, line = entry.location.rpartition(":")
    assert file.endswith("test_audit.py")
    assert int(line) == forward.__code__.co_firstlineno + 1
