"""Data files: what is read, and a clear error for everything that is no data file."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmdeploy.data_file import read_data
from nmdeploy.errors import DataFileError

PIXELS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def written(folder, **arrays):
    path = folder / "data.npz"
    np.savez_compressed(path, **arrays)
    return path


def refused(path, *words):
    with pytest.raises(DataFileError) as caught:
        read_data(path)
    for word in (str(path), *words):
        assert word in str(caught.value)


def test_samples_and_labels_as_they_lie_in_the_file(tmp_path):
    dataset = read_data(written(tmp_path, x=PIXELS, y=np.array([7, 3], dtype=np.uint8), index=np.arange(5)))
    assert dataset.samples.dtype == np.uint8
    np.testing.assert_array_equal(dataset.samples, PIXELS)
    assert dataset.labels.dtype == np.int64
    assert dataset.labels.tolist() == [7, 3]


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float16, np.float32, np.float64])
def test_number_types_are_kept(tmp_path, kind):
    samples = read_data(written(tmp_path, x=PIXELS.astype(kind))).samples
    assert samples.dtype == kind
    np.testing.assert_array_equal(samples, PIXELS)


def test_labels_may_be_missing(tmp_path):
    assert read_data(written(tmp_path, x=PIXELS)).labels is None


def test_uncompressed(tmp_path):
    np.savez(tmp_path / "plain.npz", x=PIXELS, y=[1, 2])
    assert read_data(tmp_path / "plain.npz").labels.tolist() == [1, 2]


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2, 2), (3, 2), (None, 2)])
def test_limit(tmp_path, limit, count):
    dataset = read_data(written(tmp_path, x=PIXELS, y=[4, 5]), limit)
    assert dataset.samples.tolist() == PIXELS[:count].tolist()
    assert dataset.labels.tolist() == [4, 5][:count]


def test_missing(tmp_path):
    refused(tmp_path / "nothing.npz", "no such file")


def test_folder(tmp_path):
    refused(tmp_path, "cannot be read")


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_no_archive(tmp_path, content):
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    refused(path, "is no .npz archive")


def test_one_bare_array(tmp_path):
    np.save(tmp_path / "data.npy", PIXELS)
    refused(tmp_path / "data.npy", "is no .npz archive")


def test_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("readme.txt", "no arrays")
        archive.writestr("x.npy", "no array either")
    refused(tmp_path / "data.npz", "not a number")


def test_pickled_objects_are_not_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").touch, ())

    samples = np.array([[Bomb(), 1]], dtype=object)
    np.savez(tmp_path / "data.npz", x=samples)
    refused(tmp_path / "data.npz", "cannot be read")
    assert not (tmp_path / "exploded").exists()


def test_names_what_it_holds_instead_of_x(tmp_path):
    refused(written(tmp_path, images=PIXELS, labels=[1, 2]), "no array 'x'", "images, labels")


def test_empty_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.npz", "w"):
        pass
    refused(tmp_path / "data.npz", "no array 'x'", "nothing")


@pytest.mark.parametrize(
    "samples",
    [np.float32(3.0), np.zeros(4), np.zeros((0, 28, 28)), np.zeros((3, 0))],
    ids=["number", "one axis", "no sample", "no pixel"],
)
def test_shapes_without_a_sample(tmp_path, samples):
    refused(written(tmp_path, x=samples), str(np.shape(samples)))


@pytest.mark.parametrize("kind", [np.complex64, np.bool_, "U3", "datetime64[s]"])
def test_samples_that_are_no_numbers(tmp_path, kind):
    refused(written(tmp_path, x=np.zeros((2, 2)).astype(kind)), "not a number")


@pytest.mark.parametrize(
    "labels",
    [[1], [1, 2, 3], [[1], [2]], 5, [0.5, 1.0], ["cat", "dog"], [True, False]],
    ids=["too few", "too many", "two axes", "number", "fractions", "names", "truths"],
)
def test_labels_that_are_none(tmp_path, labels):
    refused(written(tmp_path, x=PIXELS, y=np.array(labels)), "one integer label a sample")


def test_label_count_is_checked_before_the_limit(tmp_path):
    with pytest.raises(DataFileError, match="one integer label a sample"):
        read_data(written(tmp_path, x=PIXELS, y=[1, 2, 3]), limit=2)


def an_archive():
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.arange(600, dtype=np.float32).reshape(2, 300), y=np.arange(2))
    return buffer.getvalue()


WHOLE = an_archive()


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_is_an_error_of_the_data_file_or_does_no_harm(tmp_path_factory, data):
    content = bytearray(WHOLE)
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 8))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(content)
    try:
        shape = read_data(path).samples.shape
    except DataFileError:
        return
    assert shape == (2, 300)
