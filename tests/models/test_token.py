"""The token's shape."""

import hashlib
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import token as tokens


@pytest.mark.parametrize(
    ("random", "checksum"),
    [("0" * 30, "2xvLzV"), ("A" * 30, "4EjuZc"), ("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "4ckWXW")],
)
def test_checksums_are_those_of_the_contract(random: str, checksum: str) -> None:
    assert tokens.checksum(random) == checksum
    assert tokens.is_well_formed(f"qu_live_{random}{checksum}")


def test_a_hundred_thousand_tokens_fit_the_pattern_differ_and_are_spread_evenly() -> None:
    made = [tokens.generate() for _ in range(100_000)]

    assert all(re.fullmatch("qu_live_[0-9A-Za-z]{36}", token, re.ASCII) for token in made)
    assert len(set(made)) == len(made)
    expected = len(made) / 62
    for place, digits in enumerate(zip(*(token[8:38] for token in made), strict=True)):
        seen = Counter(digits)
        chi_squared = sum((seen[digit] - expected) ** 2 / expected for digit in tokens.BASE62)
        assert chi_squared < 150, place  # 61 degrees of freedom: past 150 once in some 10^9 runs
    assert all(tokens.is_well_formed(token) for token in made[:1000])


def test_any_single_typing_error_is_noticed() -> None:
    token = tokens.generate()

    assert tokens.is_well_formed(token)
    for place in range(len(token)):
        for other in tokens.BASE62 + "_-":
            wrong = token[:place] + other + token[place + 1 :]
            assert tokens.is_well_formed(wrong) == (wrong == token)


@pytest.mark.parametrize("change", ["{}x", "x{}", "{}\n", "{} ", " {}", "{}\0", "{}="])
def test_nothing_may_stand_around_a_token(change: str) -> None:
    token = tokens.generate()

    assert tokens.is_well_formed(token)
    assert not tokens.is_well_formed(change.format(token))


def test_digits_of_other_scripts_are_not_base62() -> None:
    zeros = "qu_live_" + "0" * 30 + "2xvLzV"

    assert tokens.is_well_formed(zeros)
    assert not tokens.is_well_formed(zeros.replace("0", "\uff10"))  # full-width
    assert not tokens.is_well_formed(zeros.replace("0", "\u0660"))  # Arabic-Indic


@given(st.text(max_size=60) | st.from_regex("qu_live_[0-9A-Za-z]{36}", fullmatch=True))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_asked_about(text: str) -> None:
    assert tokens.is_well_formed(text) in {True, False}


def test_what_is_stored_is_the_sha_256_of_the_whole_token() -> None:
    token = tokens.generate()

    assert tokens.digest(token) == hashlib.sha256(token.encode()).digest()
    assert tokens.prefix(token) == token[:12]
