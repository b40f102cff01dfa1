"""Looking for secrets: in whatever dress, wherever a running installation leaves bytes."""

import base64
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis
from sqlalchemy.engine import make_url

from models.token import PREFIX_LENGTH

PART = 9  # characters of a token that nothing but the token has: 62^9 of them


def disguises(secret: str) -> list[bytes]:
    """A secret as it is, its parts, and as encodings show it; of a token nothing of the prefix, which is no secret."""
    hidden = secret[PREFIX_LENGTH:] if secret.startswith("qu_live_") else secret
    middle = len(hidden) // 2
    parts = [hidden, hidden[:middle], hidden[middle:], hidden[:PART], hidden[-PART:]]
    shifted = [base64.b64encode(b"x" * shift + secret.encode())[4:-4] for shift in range(3)]
    return [*(part.encode() for part in parts), secret.encode().hex()[-40:].encode(), *(text[-20:] for text in shifted)]


def found(secret: str, place: bytes) -> list[bytes]:
    """The dresses in which a secret is in a place."""
    return [dress for dress in disguises(secret) if dress in place]


def unpacked(cookie: str) -> bytes:
    """What a session cookie says, whatever it is packed in, beside the cookie itself."""
    payload = cookie.removeprefix(".").partition(".")[0]
    try:
        packed = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return cookie.encode() + (zlib.decompress(packed) if cookie.startswith(".") else packed)
    except (ValueError, zlib.error):
        return cookie.encode()


def files_of(folder: Path) -> Iterator[bytes]:
    """Every file under a folder."""
    yield from (path.read_bytes() for path in folder.rglob("*") if path.is_file())


def database_bytes(url: str) -> bytes:
    """A database as it lies on the disk: rows, free pages, indexes and write-ahead log, and as a dump shows it."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        file = Path(str(address.database))
        return b"".join(
            Path(f"{file}{end}").read_bytes() for end in ("", "-wal", "-shm") if Path(f"{file}{end}").exists()
        )
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(plain, autocommit=True)) as connection:
        connection.execute("CHECKPOINT")
        dump = b"".join(_dumped(connection))
        row = connection.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    folder = Path(row[0])
    return dump + b"".join((*files_of(folder / "base" / str(row[1])), *files_of(folder / "pg_wal")))


def _dumped(connection: "psycopg.Connection[tuple[str, ...]]") -> Iterator[bytes]:
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (name,) in tables:
        assert re.fullmatch("[a-z_]+", name)
        with connection.cursor().copy(f"COPY {name} TO STDOUT") as copy:
            yield from (bytes(block) for block in copy)


def redis_bytes(url: str) -> bytes:
    """Every key of a Redis with its value, and its dump."""
    with closing(Redis.from_url(url)) as client:
        keys: list[bytes] = list(client.scan_iter("*"))
        values: list[Any] = [client.dump(key) for key in keys]
        client.save()
        settings: Any = client.config_get("dir")
    return b"\n".join((*keys, *values, *files_of(Path(settings["dir"]))))
