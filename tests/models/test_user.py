"""User: passwords, addresses and sessions that end on the server."""

import pytest

from models import Organisation, Plan, Role, RuleBroken, User, db, writing
from models.user import PASSWORD_MAX, checked_password
from tests.factories import ACTOR, PASSWORD, count, events, make_organisation, make_user

pytestmark = pytest.mark.usefixtures("context")


def stored(user: User) -> User:
    return db.session.get_one(User, user.id)


def create(
    organisation: Organisation, email: str = "ada@example.org", password: str = PASSWORD, name: str = ""
) -> User:
    with writing():
        return User.create(organisation, email, Role.ADMIN, password, ACTOR, name=name)


def test_a_user_is_created_with_one_event() -> None:
    user = create(make_organisation(), "Ada@Example.ORG")

    assert (user.email, user.email_identity, user.name) == ("Ada@Example.ORG", "ada@example.org", "Ada")
    (event,) = events("user.created")
    assert (event.target_id, event.target_label, event.details["role"]) == (str(user.id), "Ada@Example.ORG", "admin")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("email", {"email": "no address"}),
        ("email", {"email": "ada@exam\0ple.org"}),
        ("email", {"email": "ada\ud800@example.org"}),
        ("email", {"email": "TAKEN@example.org"}),
        ("name", {"name": "x" * 101}),
        ("name", {"name": "a\0b"}),
        ("name", {"name": "a\ud800b"}),
        ("password", {"password": "ninechars"}),
        ("password", {"password": "x" * (PASSWORD_MAX + 1)}),
    ],
)
def test_an_unusable_value_is_refused_and_nobody_is_added(field: str, given: dict[str, str]) -> None:
    organisation = make_organisation()
    make_user(organisation, "taken@example.org")
    before = (count(User), len(events()))

    with pytest.raises(RuleBroken) as refusal:
        create(organisation, **given)

    assert refusal.value.field == field
    assert (count(User), len(events())) == before
    create(organisation)
    assert (count(User), len(events())) == (before[0] + 1, before[1] + 1)


def test_a_password_is_kept_as_a_bcrypt_hash_alone() -> None:
    user = make_user()

    assert user.password_hash.startswith("$2b$")
    assert len(user.password_hash) == 60
    assert PASSWORD not in repr(user.__dict__)


def test_only_the_whole_password_matches() -> None:
    user = make_user(password="zero\0byte " + "x" * 80)

    assert user.has_password("zero\0byte " + "x" * 80)
    for wrong in ("zero", "zero\0byte " + "x" * 79, "zero\0byte " + "x" * 81, "", "\ud800"):
        assert not user.has_password(wrong)


def test_a_damaged_hash_matches_nothing() -> None:
    user = make_user()
    assert user.has_password(PASSWORD)

    for damaged in ("", "x", "$2b$04$short", user.password_hash[:-1]):
        user.password_hash = damaged
        assert not user.has_password(PASSWORD)


@pytest.mark.parametrize("length", [10, PASSWORD_MAX])
def test_a_password_at_either_bound_is_taken(length: int) -> None:
    assert checked_password("x" * length) == "x" * length


def test_spellings_of_one_address_are_one_account() -> None:
    assert User.account_of("Ada@Example.org") == User.account_of("ada@EXAMPLE.org") == "ada@example.org"
    assert User.account_of("no address") == User.account_of("no address")
    assert User.account_of("no address") != User.account_of("no addres")
    assert User.account_of("\ud800\0")


def test_a_session_names_its_user_until_it_ends() -> None:
    user = make_user()
    session_id = user.get_id()
    found = User.by_session(session_id)
    assert found is not None
    assert found.id == user.id

    with writing():
        stored(user).end_sessions()

    assert User.by_session(session_id) is None
    assert User.by_session(stored(user).get_id()) is not None


@pytest.mark.parametrize("session_id", ["", "1", "1.", ".1", "١.٠", "1.0\n", " 1.0", "9" * 40 + ".0", "1." + "9" * 40])
def test_a_session_id_of_another_shape_names_nobody(session_id: str) -> None:
    make_user()

    assert User.by_session(session_id) is None
    assert User.by_session("1.0") is not None


def test_a_new_password_ends_sessions_with_one_event() -> None:
    user = make_user()
    session_id = user.get_id()

    with writing():
        stored(user).change_password("a new horse battery", ACTOR)

    assert User.by_session(session_id) is None
    assert User.authenticate(user.email, PASSWORD) is None
    assert User.authenticate(user.email, "a new horse battery") is not None
    assert len(events("user.password_changed")) == 1


def test_a_refused_password_leaves_the_old_one_and_its_sessions() -> None:
    user = make_user()

    with pytest.raises(RuleBroken), writing():
        stored(user).change_password("short", ACTOR)

    assert User.authenticate(user.email, PASSWORD) is not None
    assert User.by_session(user.get_id()) is not None
    assert events("user.password_changed") == []


def test_deactivation_shuts_out_once_and_for_all() -> None:
    user = make_user()
    session_id = user.get_id()

    with writing():
        assert stored(user).deactivate(ACTOR)
    with writing():
        assert not stored(user).deactivate(ACTOR)

    assert User.by_session(session_id) is None
    assert User.by_session(stored(user).get_id()) is None
    assert User.authenticate(user.email, PASSWORD) is None
    assert len(events("user.deactivated")) == 1


def test_every_role_is_known_to_the_database() -> None:
    organisation = make_organisation(plan=Plan.FREE)

    assert [make_user(organisation, role=role).is_admin for role in Role] == [True, False]


def test_an_unknown_address_costs_no_more_than_one_comparison(context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    known = make_user()

    def hashpw(*_: bytes) -> bytes:
        raise AssertionError("a hash was made, which takes as long again")

    monkeypatch.setattr("models.user.bcrypt.hashpw", hashpw)
    assert User.authenticate("nobody@example.org", PASSWORD) is None
    assert User.authenticate(known.email, PASSWORD) is not None
