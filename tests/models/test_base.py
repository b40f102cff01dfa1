"""Times in UTC, and the one writing transaction."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from models import ApiKey, Organisation, TryAgain, db, transact, writing
from models.base import TRIES
from tests.factories import all_rows, make_api_key, make_organisation

KATHMANDU = timezone(timedelta(hours=5, minutes=45))


@pytest.mark.by_hand
@pytest.mark.usefixtures("context")
def test_a_moment_comes_back_as_the_same_moment_in_utc() -> None:
    make_api_key()
    moment = datetime(2026, 11, 1, 5, 30, 12, 345678, tzinfo=KATHMANDU)
    with writing():
        db.session.execute(update(ApiKey).values(revoked_at=moment))

    (key,) = all_rows(ApiKey)
    assert key.revoked_at == moment
    assert key.revoked_at is not None
    assert key.revoked_at.utcoffset() == timedelta(0)
    assert db.session.scalar(select(ApiKey.id).where(ApiKey.revoked_at < datetime.now(UTC) + timedelta(days=3650)))


@pytest.mark.usefixtures("context")
def test_a_moment_without_its_zone_is_refused() -> None:
    make_api_key()

    with pytest.raises(Exception, match="must know its zone"), writing():
        db.session.execute(update(ApiKey).values(revoked_at=datetime(2026, 11, 1)))  # noqa: DTZ001


@pytest.mark.usefixtures("context")
def test_what_fails_leaves_nothing_and_what_does_not_stays() -> None:
    organisation = make_organisation("Before")

    with pytest.raises(LookupError), writing():
        rename_and_fail(organisation, "Lost")
    assert [row.name for row in all_rows(Organisation)] == ["Before"]

    with writing():
        db.session.get_one(Organisation, organisation.id).name = "Kept"
    assert [row.name for row in all_rows(Organisation)] == ["Kept"]


@pytest.mark.by_hand
@pytest.mark.usefixtures("context")
def test_a_writer_that_has_read_before_sees_what_was_written_meanwhile() -> None:
    organisation = make_organisation("Before")
    assert db.session.scalar(select(Organisation.name)) == "Before"  # a snapshot is open now
    with db.engine.begin() as other:
        other.execute(update(Organisation).values(name="Meanwhile"))

    with writing():
        assert db.session.scalar(select(Organisation.name)) == "Meanwhile"
        db.session.get_one(Organisation, organisation.id).slug = "written"

    assert [(row.name, row.slug) for row in all_rows(Organisation)] == [("Meanwhile", "written")]


def rename_and_fail(organisation: Organisation, name: str) -> None:
    db.session.get_one(Organisation, organisation.id).name = name
    db.session.flush()
    raise LookupError


class Failing:
    """Work that adds an organisation and fails a number of times first."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left, self.error, self.tries = times, error, 0

    def __call__(self) -> int:
        """Do it."""
        self.tries += 1
        db.session.execute(update(Organisation).values(name=Organisation.name + "."))
        if self.left:
            self.left -= 1
            raise self.error
        return 42


def database_error(sqlstate: str) -> OperationalError:
    """What SQLAlchemy raises for PostgreSQL's error of this state."""
    original: Any = Exception("no")
    original.sqlstate = sqlstate
    return OperationalError("UPDATE", {}, original)


@pytest.mark.parametrize("error", [TryAgain(), database_error("40001"), database_error("40P01")])
@pytest.mark.usefixtures("context")
def test_what_chance_or_another_writer_spoilt_is_done_again_from_the_start(error: Exception) -> None:
    make_organisation("A")
    work = Failing(TRIES - 1, error)

    assert transact(work) == 42
    assert work.tries == TRIES
    assert db.session.scalar(select(Organisation.name)) == "A."


@pytest.mark.parametrize(("error", "tries"), [(TryAgain(), TRIES), (database_error("55P03"), 1), (LookupError(), 1)])
@pytest.mark.usefixtures("context")
def test_what_fails_for_good_is_told_and_leaves_nothing(error: Exception, tries: int) -> None:
    make_organisation("A")
    work = Failing(TRIES, error)

    with pytest.raises(type(error)):
        transact(work)
    assert work.tries == tries
    assert db.session.scalar(select(func.max(Organisation.name))) == "A"
