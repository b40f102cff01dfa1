"""The product's own source, parsed: what the convention tests read."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRODUCT = ("app.py", "config.py", "models/**/*.py", "blueprints/**/*.py")
EVERYTHING = (*PRODUCT, "tests/**/*.py", "migrations/**/*.py", "sdk/**/*.py")

View = ast.FunctionDef


def modules(*patterns: str) -> list[str]:
    """The paths of the modules that match, relative to the root."""
    return sorted(str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern))


@cache
def parsed(module: str) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse((ROOT / module).read_text())


@cache
def imports(module: str) -> frozenset[str]:
    """Every dotted name that a module imports, wherever it does so; from a import b gives a and a.b."""
    found: set[str] = set()
    for node in ast.walk(parsed(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports say the whole way"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def functions(module: str) -> Iterator[ast.FunctionDef]:
    """Every function and method of a module."""
    return (node for node in ast.walk(parsed(module)) if isinstance(node, ast.FunctionDef))


def is_view(function: ast.FunctionDef) -> bool:
    """Whether a blueprint routes to it."""
    return any("blueprint." in ast.unparse(decorator) for decorator in function.decorator_list)


def length(node: ast.FunctionDef) -> int:
    """How many lines a function has, from its `def` on."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def strings(module: str) -> list[str]:
    """The strings in a module's code, docstrings left out."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(parsed(module))
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    constants = (node for node in ast.walk(parsed(module)) if isinstance(node, ast.Constant))
    return [node.value for node in constants if isinstance(node.value, str) and id(node) not in docstrings]


def code(module: str) -> str:
    """A module's code without comments."""
    return ast.unparse(parsed(module))


def package(module: str) -> str:
    """The blueprint that a module belongs to, "" for one directly in blueprints/."""
    found = re.match(r"blueprints/(\w+)/", module)
    return found[1] if found else ""
