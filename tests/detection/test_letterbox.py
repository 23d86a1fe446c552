"""Where images lie in their square, and boxes brought there and back."""

import numpy as np
import pytest
from PIL import Image

from examples.detection.coco import image_paths, true_boxes
from examples.detection.letterbox import letterbox, read_squares

WIDE = Image.new("RGB", (200, 100), (10, 20, 30))


@pytest.mark.parametrize(("centred", "first", "last"), [(True, 16, 47), (False, 0, 31)])
def test_padding(centred, first, last):
    square, place = letterbox(WIDE, 64, 127.5, centred=centred)
    assert square.shape == (64, 64, 3)
    assert square.dtype == np.float32
    shown = (square != 127.5).all(axis=2)
    assert shown.all(axis=1).nonzero()[0].tolist() == list(range(first, last + 1))
    assert shown.sum() == 64 * 32
    assert square[first, 0].tolist() == [10, 20, 30]
    assert (place.scale, place.left, place.top) == (0.32, 0, first)


def test_tall_images_are_padded_at_the_sides():
    square, place = letterbox(WIDE.transpose(Image.Transpose.ROTATE_90), 64, 0.0, centred=True)
    assert (place.left, place.top) == (16, 0)
    assert square[:, :16].max() == square[:, 48:].max() == 0.0
    assert square[:, 16:48].min() == 10.0


def marked_image():
    """Black but for a white rectangle: columns 40 to 119, rows 30 to 69 of 200 x 100."""
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[30:70, 40:120] = 255
    return Image.fromarray(pixels)


def test_labels_lie_where_the_pixels_are(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    marked_image().save(tmp_path / "images" / "one.jpg", quality=100)
    (tmp_path / "labels" / "one.txt").write_text("5 0.4 0.5 0.4 0.4\n")
    (path,) = image_paths(tmp_path)
    squares, (place,) = read_squares([path], 400, 0.0, centred=True)
    truth = true_boxes(path, (200, 100), place)
    assert truth.classes.tolist() == [5]
    rows, columns = np.nonzero(squares[0, :, :, 0] > 127)
    np.testing.assert_allclose(truth.boxes[0], [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], atol=1.0)
    np.testing.assert_allclose(place.to_image(truth.boxes)[0], [40, 30, 120, 70])


def test_an_image_without_labels_shows_nothing(tmp_path):
    (tmp_path / "images").mkdir()
    marked_image().save(tmp_path / "images" / "one.jpg")
    _, (place,) = read_squares(image_paths(tmp_path), 64, 0.0, centred=True)
    assert len(true_boxes(image_paths(tmp_path)[0], (200, 100), place)) == 0


def test_a_folder_without_images(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no \.jpg"):
        image_paths(tmp_path)
