"""Small networks with seeded weights for comparisons with other tools: convolutions with borders, and dense layers."""

from collections import OrderedDict

from torch import Tensor, nn


class BorderedConvolutions(nn.Module):
    """2 x 9 x 7 values to five scores: padding, stride, groups, and a dense layer on a flattened map."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(2, 8, 3, padding=1)
        self.strided = nn.Conv2d(8, 12, 5, stride=2, padding=2, groups=2)
        self.dense = nn.Linear(12 * 5 * 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.dense(self.strided(self.wide(x).relu()).relu().flatten(1))


def bordered_convolutions() -> nn.Module:
    return BorderedConvolutions()


def dense_layers() -> nn.Module:
    """64 values to ten scores through layers so wide that one core of Loihi does not hold them."""
    return nn.Sequential(
        OrderedDict(
            flatten=nn.Flatten(),
            first=nn.Linear(64, 512),
            first_rectified=nn.ReLU(),
            second=nn.Linear(512, 512),
            second_rectified=nn.ReLU(),
            third=nn.Linear(512, 256),
            third_rectified=nn.ReLU(),
            scores=nn.Linear(256, 10),
        )
    )
