"""One key used by many at once: how often its last use is written, and how long an admin waits meanwhile."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from models import ApiKey, db
from tests.factories import all_rows, in_context, make_api_key
from tests.soak.report import figure, trials
from tests.system.revocations import Desk
from tests.system.server import Server

REQUESTS = 10_000
CLIENTS = 32
REVOCATIONS = 200
SLOWEST_SECONDS = 1.0  # F10

# A trigger that notes each write of a last use, on either engine.
SQLITE = (
    "CREATE TABLE last_uses (key_id INTEGER, at TEXT)",
    "CREATE TRIGGER note_last_use AFTER UPDATE OF last_used_at ON api_keys"
    " BEGIN INSERT INTO last_uses VALUES (new.id, new.last_used_at); END",
)
POSTGRESQL = (
    "CREATE TABLE last_uses (key_id BIGINT, at TEXT)",
    "CREATE OR REPLACE FUNCTION note_last_use() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN INSERT INTO last_uses VALUES (new.id, new.last_used_at); RETURN new; END $$",
    "CREATE TRIGGER note_last_use AFTER UPDATE OF last_used_at ON api_keys"
    " FOR EACH ROW EXECUTE FUNCTION note_last_use()",
)


@in_context
def run(*statements: str) -> list[tuple[object, ...]]:
    """Run statements past the models; the rows of the last one."""
    with db.engine.begin() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        return [tuple(row) for row in results[-1]] if results[-1].returns_rows else []


@contextmanager
def noted(engine: str) -> Iterator[None]:
    """Have every write of a last use noted in a table, for the length of a `with` block."""
    run(*(SQLITE if engine == "sqlite" else POSTGRESQL))
    try:
        yield
    finally:
        where = "" if engine == "sqlite" else " ON api_keys"
        run(f"DROP TRIGGER note_last_use{where}", "DROP TABLE last_uses")


def test_a_crowd_with_one_key_writes_its_last_use_once_a_minute(server: Server) -> None:
    engine, desk, number = server.settings["DATABASE_URL"].partition(":")[0], Desk(server), trials(REQUESTS, 100)
    key, token = make_api_key(desk.organisation)
    with noted(engine):
        began = datetime.now(UTC)
        with ThreadPoolExecutor(CLIENTS) as clients:
            statuses = Counter(clients.map(lambda _: server.send("GET", desk.path, token).status, range(number)))
        ended = datetime.now(UTC)
        ((writes, minutes),) = run(f"SELECT count(*), count(DISTINCT at) FROM last_uses WHERE key_id = {key.id}")
    (used,) = [row.last_used_at for row in all_rows(ApiKey) if row.id == key.id]

    figure(f"T078: writes of a last use beyond one a minute, {engine}", int(str(writes)) - int(str(minutes)), number)
    assert statuses == {200: number}
    assert 1 <= int(str(writes)) == int(str(minutes)) <= (ended - began) // timedelta(minutes=1) + 2
    assert used is not None
    assert ended - used < timedelta(minutes=2)


def test_an_admin_who_revokes_under_load_is_answered_within_a_second(server: Server) -> None:
    engine, desk, number = server.settings["DATABASE_URL"].partition(":")[0], Desk(server), trials(REVOCATIONS, 5)
    _, token = make_api_key(desk.organisation)
    is_over = threading.Event()

    def read_all_the_time(_: int) -> Counter[int]:
        statuses = Counter[int]()
        while not is_over.is_set():
            statuses[server.send("GET", desk.path, token).status] += 1
        return statuses

    with ThreadPoolExecutor(CLIENTS) as clients:
        reading = [clients.submit(read_all_the_time, nth) for nth in range(CLIENTS)]
        try:
            seconds = sorted(desk.revoke(make_api_key(desk.organisation)[0]) for _ in range(number))
        finally:
            is_over.set()
    read = sum((future.result() for future in reading), Counter[int]())

    slowest = seconds[number * 99 // 100 - 1]
    figure(f"F10: seconds until a revocation was answered, p99, 32 readers, {engine}", round(slowest, 3), number)
    assert set(read) == {200}
    assert slowest < SLOWEST_SECONDS
