"""Who is compared: the product, the floor and the peers, each with the same line and the same number of workers."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.databases import SqliteStore, Store
from benchmarks.filling import SECRET_KEY, Line
from benchmarks.load import Call
from benchmarks.servers import HOST, Command, environment
from blueprints import server

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / "peers"
THE_PRODUCT = "app:create_app"


class Contestant(NamedTuple):
    """A server, and how it is asked for the line."""

    command: Command
    path: str
    headers: dict[str, str]
    items: str = "items"
    total: str = "total"

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.command.name

    def list_call(self, port: int) -> Call:
        """The first page of the line."""
        return Call(port, "GET", self.path, self.headers)

    def create_call(self, port: int) -> Call:
        """Somebody new joins."""
        headers = self.headers | {"Content-Type": "application/json"}
        return Call(port, "POST", self.path, headers, '{"email":"{unique}@join.example"}', 201)


def queuekey(store: Store, line: Line, workers: int) -> Contestant:
    """The product as it is shipped, on a copy of the line; its limits are on and out of reach."""
    store.copy(line.database, "bench_queuekey")
    settings = {"DATABASE_URL": store.url("bench_queuekey"), "SECRET_KEY": SECRET_KEY, "RATELIMIT_TEAM": "10000000"}
    command = Command("Queuekey", _granian(workers, THE_PRODUCT), ROOT, settings)
    return Contestant(command, _path(line, "/v1/api"), {"Authorization": f"Bearer {line.token}"})


def floor(line: Line, workers: int, body: Path) -> Contestant:
    """A bare Flask route that returns the bytes in `body`, on the same server."""
    arguments = _granian(workers, "benchmarks.floor:create_app")
    command = Command("bare Flask route", arguments, ROOT, {"FLOOR_BODY": str(body)})
    return Contestant(command, _path(line, "/v1/api"), {"Authorization": f"Bearer {line.token}"})


def django(store: Store, source: SqliteStore, line: Line, workers: int) -> Contestant:
    """Django REST framework and djangorestframework-api-key, on the server and with the flags of the product."""
    folder = PEERS / "drf"
    url, key = _seeded("drf", store, source, line, [sys.executable, "manage.py", "seed"], folder)
    arguments = [argument for argument in _granian(workers, "config.wsgi:application") if argument != "--factory"]
    command = Command("Django REST framework", arguments, folder, {"PEER_DATABASE_URL": url})
    return Contestant(command, _path(line), {"Authorization": f"Api-Key {key}"}, items="results", total="count")


def fastapi(store: Store, source: SqliteStore, line: Line, workers: int, *, is_counting: bool = True) -> Contestant:
    """FastAPI and SQLAlchemy's ORM under uvicorn with uvloop; on demand with a total that nobody counts."""
    seed = [sys.executable, "-m", "fastapi_sqlalchemy.seed"]
    url, key = _seeded("fastapi_sqlalchemy", store, source, line, seed, PEERS, is_copied=is_counting)
    name, settings = "FastAPI, SQLAlchemy", {"PEER_DATABASE_URL": url}
    if not is_counting:
        name, settings = f"{name}, constant total", settings | {"CONSTANT_TOTAL": str(line.size)}
    serve = [sys.executable, "-m", "uvicorn", "fastapi_sqlalchemy.app:app", "--no-access-log", "--log-level", "warning"]
    arguments = [*serve, "--host", HOST, "--port", "{port}", "--workers", str(workers)]
    return Contestant(Command(name, arguments, PEERS, settings), _path(line), {"Authorization": f"Bearer {key}"})


def _granian(workers: int, target: str) -> list[str]:
    """The shipped server's command line for another application."""
    arguments = server.arguments(HOST, 0, workers)
    arguments[arguments.index("--port") + 1] = "{port}"
    arguments[arguments.index(THE_PRODUCT)] = target
    return arguments


def _path(line: Line, root: str = "") -> str:
    return f"{root}/waitlists/{line.waitlist}/subscribers"


def _seeded(
    peer: str, store: Store, source: SqliteStore, line: Line, seed: list[str], folder: Path, *, is_copied: bool = True
) -> tuple[str, str]:
    """A copy of the peer's own database with the same rows, and a key for it; seeded once and kept."""
    files = sorted((PEERS / peer).rglob("*.py"))
    form = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:8]
    name, used = f"{peer}_{form}_{line.database}", f"bench_{peer}"
    facts = source.file(name).with_suffix(f".{store.engine}.json")
    if not (facts.exists() and store.has(name)):
        store.create(name)
        facts.write_text(_seed([*seed, str(source.file(line.database)), line.waitlist], store.url(name), folder))
        store.settle(name)
    if is_copied:
        store.copy(name, used)
    found: Mapping[str, str] = json.loads(facts.read_text())
    return store.url(used), found["key"]


def _seed(command: list[str], url: str, folder: Path) -> str:
    settings = {"PEER_DATABASE_URL": url}
    done = subprocess.run(command, cwd=folder, env=environment(settings), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{folder.name} was not seeded:\n{done.stderr[-4000:]}")
    return done.stdout.splitlines()[-1]
