"""One part of a recipe changed step by step: where it stops, and what it comes back with."""

from dataclasses import replace

import pytest
from made_up import MadeUpTrials

from nmdeploy.search.climb import climb
from nmdeploy.search.headroom import choose_headroom
from nmdeploy.search.recipe import Recipe


def headroom(recipe):
    return recipe.headroom


def climbed(judgements, worth=1.0, samples=200, end=99):
    """From the first of the judgements, of headroom 0, by one at a time: where it stops, and what was tried."""
    trials = MadeUpTrials(headroom, dict(enumerate(judgements)), samples=samples)
    begun = trials.attempt(Recipe("layer-max", headroom=0))

    def one_more(recipe):
        return replace(recipe, headroom=recipe.headroom + 1) if recipe.headroom < end else None

    found = climb(trials, begun, one_more, worth)
    assert (found is begun) == (found.built.recipe.headroom == 0)
    return found.built.recipe.headroom, trials.attempted[1:]


def test_it_stops_at_the_first_change_that_does_not_pay():
    assert climbed([1.0, 0.9, 0.8, 0.85, 0.1]) == (2, [1, 2, 3])
    assert climbed([1.0, 1.0, 0.1]) == (0, [1])


def test_it_stops_where_there_is_no_next():
    assert climbed([1.0, 0.9, 0.8, 0.7], end=2) == (2, [1, 2])
    assert climbed([1.0, 0.9], end=0) == (0, [])


def test_it_stops_at_what_the_chip_cannot_hold():
    assert climbed([1.0, 0.9]) == (1, [1, 2])
    assert climbed([1.0]) == (0, [1])


@pytest.mark.parametrize(
    ("errors", "worth", "stops"),
    [
        ([1.0, 0.84, 0.72, 0.1], 0.85, 1),  # 0.72 is more than 0.85 times 0.84
        ([1.0, 0.84, 0.71], 0.85, 2),
        ([1.0, 0.86, 0.1], 0.85, 0),
        ([1.0, 1.04, 1.06, 0.1], 1.05, 1),  # 1.06 is less than 1.05 times 1.04, but not than 1.05 times 1
        ([1.0, 1.04, 1.04], 1.05, 2),
        ([1.0, 0.5, 0.53, 0.1], 1.05, 1),  # the least error is that of the change before
    ],
)
def test_a_change_must_be_worth_a_share_of_the_least_error(errors, worth, stops):
    assert climbed(errors, worth)[0] == stops


@pytest.mark.parametrize(
    ("kept", "samples", "stops"),
    [
        ([150, 148, 148], 200, 2),  # one in a hundred may differ by chance
        ([150, 147, 200], 200, 0),
        ([150, 148, 147, 200], 200, 1),  # of the most kept so far, not of those kept last
        ([150, 160, 158, 157, 200], 200, 2),
        ([50, 49, 99], 99, 0),
    ],
)
def test_few_decisions_may_be_lost(kept, samples, stops):
    assert climbed([(1.0 / (1 + number), same) for number, same in enumerate(kept)], samples=samples)[0] == stops


def test_headroom_rises_by_halves_up_to_eight():
    factors = [1.5**power for power in range(9)]
    trials = MadeUpTrials(headroom, dict.fromkeys(factors, 1.0))
    found = choose_headroom(trials, trials.attempt(Recipe("layer-max")))
    assert found.built.recipe.headroom == pytest.approx(7.59375)
    assert trials.attempted == pytest.approx([1, 1.5, 2.25, 3.375, 5.0625, 7.59375])


def test_headroom_may_cost_next_to_nothing_only():
    trials = MadeUpTrials(headroom, {1.0: 0.1, 1.5: 0.104, 2.25: 0.106, 3.375: 0.01})
    assert choose_headroom(trials, trials.attempt(Recipe("layer-max"))).built.recipe.headroom == 1.5
