"""VGG-16 for CIFAR images, with strides in place of max pooling.

The convolution after each of VGG's poolings moves by two instead (Springenberg et al. 2015), so that the thirteen
feature maps and the multiply-accumulates are VGG's, and nobody's spiking network needs neurons for a maximum. The
last pooling and the three dense layers are a mean and one dense layer, as usual for CIFAR.
"""

from torch import Tensor, nn

WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
STRIDED = (2, 4, 7, 10)
CLASSES = 10


class Vgg(nn.Module):
    """3 x 32 x 32 pixels to ten class scores."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for index, width in enumerate(WIDTHS):
            stride = 2 if index in STRIDED else 1
            layers += [nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(width)]
            layers += [nn.ReLU()]
            channels = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).mean((2, 3)))


def vgg16() -> nn.Module:
    return Vgg()
