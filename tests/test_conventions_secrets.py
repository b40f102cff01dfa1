"""Nothing in the repository is a secret, and nothing secret comes from a generator that can be guessed."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from models import token
from tests.source import PRODUCT, ROOT, imports, modules

TOKEN = re.compile(rb"qu_live_[0-9A-Za-z]{36}")  # as in the README, for secret scanners
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
NOT_OURS = {"instance", "mutants", "node_modules", "__pycache__"}  # and whatever begins with a dot, but for .ci


def files() -> Iterator[Path]:
    """Every file of the checkout that is not made by running it."""
    for folder, names, found in os.walk(ROOT):
        names[:] = [name for name in names if name not in NOT_OURS and (name == ".ci" or not name.startswith("."))]
        yield from (Path(folder) / name for name in found)


def secrets_in(content: bytes) -> list[bytes]:
    return TOKEN.findall(content) + PRIVATE_KEY.findall(content)


def test_no_file_has_a_token_or_a_private_key_in_it() -> None:
    """Tests make their tokens at run time, so that none of them ever looks like a leak."""
    found = {str(file.relative_to(ROOT)): secrets_in(file.read_bytes()) for file in files()}

    assert {"README.md", "app.py", ".ci/run", "tests/conftest.py"} <= set(found)
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_the_scan_knows_a_token_and_a_private_key_when_it_sees_one() -> None:
    assert secrets_in(f"token = '{token.generate()}'".encode())
    assert secrets_in(b"-----BEGIN RSA " + b"PRIVATE KEY-----")
    assert secrets_in(token.generate()[:-1].encode()) == []


def test_the_readme_tells_secret_scanners_the_pattern() -> None:
    assert f"`{TOKEN.pattern.decode()}`" in (ROOT / "README.md").read_text()


def test_nothing_but_a_writers_pace_comes_from_a_generator_that_can_be_guessed() -> None:
    guessable = {"random", "uuid", "numpy"}

    assert [module for module in modules(*PRODUCT) if imports(module) & guessable] == ["models/turn.py"]
    assert "secrets" in imports("models/token.py")
