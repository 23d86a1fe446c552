"""The MNIST network of the NxTF tutorials (Rueckauer et al. 2022): four convolutions, no pooling."""

from torch import Tensor, nn


class MnistCnn(nn.Module):
    """1 x 28 x 28 pixels in 0..1 to ten class scores, as 10 x 1 x 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1 = nn.Conv2d(1, 16, 5, stride=2)
        self.conv2d_2 = nn.Conv2d(16, 32, 3)
        self.conv2d_3 = nn.Conv2d(32, 64, 3, stride=2)
        self.conv2d_4 = nn.Conv2d(64, 10, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2d_1(x).relu()
        x = self.conv2d_2(x).relu()
        x = self.conv2d_3(x).relu()
        return self.conv2d_4(x)


def mnist_cnn() -> nn.Module:
    return MnistCnn()
