"""Train a small convolutional network with a shortcut on scikit-learn's digits and save it for nmdeploy.

python -m examples.digits.train examples/digits/model.pt
"""

import sys

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import nmdeploy
from examples.digits.data import digits

EPOCHS = 40
BATCH = 64
CALIBRATION_SAMPLES = 256


class DigitsNet(nn.Module):
    """1 x 8 x 8 pixels in 0..1 to ten class scores."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(16)
        self.conv1 = nn.Conv2d(16, 16, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.pool = nn.AvgPool2d(2)
        self.classifier = nn.Linear(32 * 2 * 2, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem_norm(self.stem(x)))
        x = F.relu(x + self.norm1(self.conv1(x)))
        x = F.relu(self.conv2(x))
        return self.classifier(torch.flatten(self.pool(x), 1))


def main(path: str) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    train_x, train_y, test_x, test_y = digits()
    samples = torch.from_numpy(train_x).float()[:, None] / 16
    labels = torch.from_numpy(train_y)
    module = DigitsNet()
    optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(samples)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(module(samples[batch]), labels[batch]).backward()
            optimizer.step()
        schedule.step()
    module.eval()
    with torch.no_grad():
        scores = module(torch.from_numpy(test_x).float()[:, None] / 16)
    correct = int((scores.argmax(1).numpy() == test_y).sum())
    print(f"{correct} of {len(test_y)} test digits")
    nmdeploy.save(
        module,
        samples[:1],
        path,
        scale=16.0,
        layout="NHW",
        calibration=train_x[:CALIBRATION_SAMPLES],
        classes=[str(digit) for digit in range(10)],
    )


if __name__ == "__main__":
    main(sys.argv[1])
