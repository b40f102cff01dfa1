"""What counts as JSON."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blueprints.api.body import BODY_LIMIT_BYTES, DEPTH_LIMIT, parse
from blueprints.api.problems import INVALID_REQUEST, Problem


def refusal(body: bytes) -> str:
    """The detail with which the parser refuses a body."""
    with pytest.raises(Problem) as raised:
        parse(body)
    assert raised.value.type is INVALID_REQUEST
    return raised.value.detail


_scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
_strings = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
_json = st.recursive(
    _scalars | _strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_strings, inner, max_size=4),
    max_leaves=12,
)


@given(_json, st.booleans(), st.sampled_from([None, 1, "\t"]))
@settings(max_examples=200, deadline=None)
def test_what_json_can_say_is_read_as_the_standard_library_reads_it(
    value: Any, ensure_ascii: bool, indent: int | str | None
) -> None:
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)

    assert parse(text.encode()) == json.loads(text) == value


_fragments = st.lists(
    st.sampled_from(["{", "}", "[", "]", ",", ":", '"', "\\", '"a"', '"a":1', "1", "-", ".5", "e9", "NaN", "null", " "])
    | st.text(max_size=3),
    max_size=12,
).map("".join)


@given(_fragments | st.text(max_size=20))
@settings(max_examples=400, deadline=None)
def test_nothing_is_read_that_the_standard_library_refuses(text: str) -> None:
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    try:
        expected = json.loads(text)
    except ValueError:
        refusal(body)
        return
    try:
        read = parse(body)
    except Problem:
        return  # stricter, as the tests below say
    assert read == expected


@given(st.binary(max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        parse(body)
    except Problem:
        assert refusal(body)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b'{"a":1,"b":2}', b'{"a":1,"a":2}'),
        (b'{"x":{"a":1},"a":2}', b'{"x":{"a":1,"a":1}}'),
        (b'[{"a":1},{"a":2}]', b'[{"a":1,"\\u0061":2}]'),
        (b"[null]", b"[NaN]"),
        (b"[null]", b"[Infinity]"),
        (b"[null]", b"[-Infinity]"),
        (b"[1e300]", b"[1e400]"),
        (b"[-1e300]", b"[-1e400]"),
        (b"[" + b"9" * 400 + b"]", b"[" + b"9" * 5000 + b"]"),
        (b'["\\u0001"]', b'["\\u0000"]'),
        (b'{"a":1}', b'{"\\u0000":1}'),
        (b'["\\ud83d\\ude00"]', b'["\\ud800"]'),
        (b'["\\ud83d\\ude00"]', b'["\\ude00\\ud83d"]'),
        (b'["\\ud83d\\ude00"]', b'["\\uDFFF"]'),
        (b'{"a":1}', b'{"\\ud800":1}'),
        ('["ä"]'.encode(), '["ä"]'.encode("latin-1")),
        (b'["a"]', b'\xef\xbb\xbf["a"]'),
        (b'["a"]', '["a"]'.encode("utf-16")),
        (b'["a"]', '["a"]'.encode("utf-16-le")),
        (b'["a"]', '["a"]'.encode("utf-32")),
        (b'["a"]', b'["\xed\xa0\x80"]'),  # a surrogate as three bytes
        (b'["a"]', b'["a\nb"]'),
        (b'["a"]', b"['a']"),
        (b'["a"]', b'["a",]'),
        (b'["a"]', b'["a"] x'),
        (b'["a"]', b'["a"]/**/'),
        (b"[1]", b"[01]"),
        (b"[1]", b"[+1]"),
        (b"[1]", b"[1_0]"),
        (b"[1]", "[１]".encode()),
        (b"null", b""),
        (b"null", b" "),
    ],
)
def test_strict_where_parsers_differ(good: bytes, bad: bytes) -> None:
    assert parse(good) == json.loads(good)
    assert refusal(bad).endswith(".")


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_thirty_two_levels_are_the_limit(opening: str, closing: str) -> None:
    def nested(levels: int) -> bytes:
        return (opening * levels + "1" + closing * levels).encode()

    assert parse(nested(DEPTH_LIMIT)) == json.loads(nested(DEPTH_LIMIT))
    for levels in (DEPTH_LIMIT + 1, 1000, 10_000):
        assert "32 levels" in refusal(nested(levels))
    assert "32 levels" in refusal(opening.encode() * 5000)


def test_brackets_in_strings_are_no_levels() -> None:
    for text in ("[" * 100, '\\"' + "[" * 100, "\\\\", '[{"' * 20):
        body = json.dumps([text, [text]]).encode()
        assert parse(body) == [text, [text]]


def test_a_string_of_backslashes_takes_no_long_time() -> None:
    assert refusal(b'"' + b"\\" * (BODY_LIMIT_BYTES - 1))


def test_numbers_stay_numbers() -> None:
    (number,) = parse(b"[1.5e300]")
    assert math.isfinite(number)
