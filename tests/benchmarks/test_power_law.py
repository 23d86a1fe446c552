import pytest

from benchmarks.power_law import fitted_exponent


@pytest.mark.parametrize("exponent", [-1, 0, 0.5, 1, 2])
def test_exponent_of_a_power_law(exponent):
    sizes = [8, 16, 64, 512]
    assert fitted_exponent(sizes, [3.7 * size**exponent for size in sizes]) == pytest.approx(exponent)


def test_fixed_costs_lower_the_exponent():
    sizes = [1, 2, 4, 8]
    assert 0 < fitted_exponent(sizes, [5 + size for size in sizes]) < 1


@pytest.mark.parametrize(("sizes", "values"), [([4, 4], [1, 2]), ([1, 2], [1]), ([1, 2], [0, 1])])
def test_no_exponent(sizes, values):
    with pytest.raises(ValueError, match=r"exponent|power law"):
        fitted_exponent(sizes, values)
