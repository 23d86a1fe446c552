"""scikit-learn's handwritten digits (8 x 8 pixels, 0..16) as training and test data.

Run as a program it writes the test part to a data file for nmdeploy.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

TRAINING_SAMPLES = 1347


def digits() -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    """Training samples and labels, test samples and labels; samples (N, 8, 8)."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    samples = images[order].reshape(-1, 8, 8).astype(np.uint8)
    labels = labels[order].astype(np.int64)
    split = TRAINING_SAMPLES
    return samples[:split], labels[:split], samples[split:], labels[split:]


if __name__ == "__main__":
    _, _, test_samples, test_labels = digits()
    np.savez_compressed(sys.argv[1], x=test_samples, y=test_labels)
    print(f"{sys.argv[1]}: {len(test_samples)} test digits")
