"""Dataclasses out of parsed JSON, by their annotations."""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]


class Mismatch(ValueError):
    """The JSON is not what the API is known to answer."""


def read(kind: type[T], value: object) -> T:
    """The value as an instance of `kind`. Raises Mismatch, which names the place and no value."""
    answer: T = _reader(cast(Any, kind))(value)
    return answer


@cache
def _reader(kind: Any) -> Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _record(kind)
    if origin is tuple:
        return _items(_reader(arguments[0]))
    if origin is Literal:
        return _one_of(arguments)
    if origin is UnionType and NoneType in arguments:
        return _optional(_reader(next(argument for argument in arguments if argument is not NoneType)))
    if origin is UnionType:
        return _by_status(arguments)
    return _time if kind is datetime else _plain(kind)


def _record(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    required = {field.name for field in fields(kind) if field.default is MISSING}

    def read_record(value: Any) -> Any:
        if not isinstance(value, dict) or not required <= value.keys():
            raise Mismatch(f"{kind.__name__} is not whole")
        return kind(**{name: reader(value[name]) for name, reader in readers.items() if name in value})

    return read_record


def _items(read_item: Reader) -> Reader:
    def read_items(value: Any) -> Any:
        if not isinstance(value, list):
            raise Mismatch("an array is none")
        return tuple(read_item(item) for item in value)

    return read_items


def _one_of(words: tuple[str, ...]) -> Reader:
    def read_word(value: Any) -> Any:
        if value not in words:
            raise Mismatch(f"none of {', '.join(words)}")
        return value

    return read_word


def _optional(read_something: Reader) -> Reader:
    return lambda value: None if value is None else read_something(value)


def _by_status(kinds: tuple[Any, ...]) -> Reader:
    """One of several records, told apart by the words that their `status` may have."""
    readers = {word: _reader(kind) for kind in kinds for word in get_args(get_type_hints(kind)["status"])}

    def read_one(value: Any) -> Any:
        status = value.get("status") if isinstance(value, dict) else None
        if status not in readers:
            raise Mismatch("a status is unknown")
        return readers[status](value)

    return read_one


def _plain(kind: Any) -> Reader:
    def read_plain(value: Any) -> Any:
        if not isinstance(value, kind):
            raise Mismatch(f"no {kind.__name__}")
        return value

    return read_plain


def _time(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00"))  # Python 3.10 does not know Z
    except (AttributeError, ValueError):
        raise Mismatch("no time") from None
