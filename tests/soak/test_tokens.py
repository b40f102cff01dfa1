"""A million tokens: all different, and every character as likely as any other."""

from collections import Counter

from models import token as tokens
from tests.soak.report import figure, trials

MINTED = 1_000_000
CHI_SQUARED_MAX = 150  # 61 degrees of freedom: past 150 once in some 10^9 runs


def test_a_million_tokens_differ_and_are_spread_evenly() -> None:
    number = trials(MINTED)
    seen: set[str] = set()
    places = [Counter[str]() for _ in range(tokens.RANDOM_LENGTH)]
    for _ in range(number):
        token = tokens.generate()
        seen.add(token)
        for place, character in zip(places, token[len(tokens.MARK) :], strict=False):
            place[character] += 1

    expected = number / len(tokens.BASE62)
    worst = max(sum((place[digit] - expected) ** 2 / expected for digit in tokens.BASE62) for place in places)
    figure("tokens that repeat one", number - len(seen), number)
    figure("chi-squared of the worst of 30 places, 61 degrees of freedom", round(worst, 1), number)
    assert len(seen) == number
    assert worst < CHI_SQUARED_MAX
    assert all(tokens.is_well_formed(token) for token in list(seen)[:1000])
