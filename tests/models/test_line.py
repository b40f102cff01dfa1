"""The line against a model of it in plain Python: every page, place and search, after every change."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import update

from models import EmailAddress, Entry, Signup, Subscriber, Waitlist, db, line, line_check, search, writing
from tests.factories import ACTOR, make_waitlist

NAMES = st.sampled_from(["ada", "grace", "linus", "maya", "tomás", "a_b", "100%", "dot.dot", "q'uote", "ß"])
TERMS = st.sampled_from(["a", "ad", "ada", "@example", "_", "%", "100%", "dot.", "'u", "ß", "á", "AMP", "nobody", "9@"])


class TheLine(RuleBasedStateMachine):
    """Joins and referrals in any order; what the database says is compared with sorted lists."""

    waitlist: Waitlist
    joined: list[dict[str, int | str]]

    @initialize(skip=st.sampled_from([1, 2, 5, 100]))
    def open(self, skip: int) -> None:
        self.waitlist = make_waitlist(referral_skip=skip)
        self.skip = skip
        self.joined = []

    @rule(name=NAMES)
    def join(self, name: str) -> None:
        self._join([name], None)

    @rule(name=NAMES, number=st.integers(2, 150))
    def join_many(self, name: str, number: int) -> None:
        self._join([name] * number, None)

    @precondition(lambda self: self.joined)
    @rule(data=st.data(), name=NAMES, number=st.integers(1, 30))
    def refer(self, data: st.DataObject, name: str, number: int) -> None:
        referrer = data.draw(st.sampled_from(self.joined))
        self._join([name] * number, referrer)
        referrer["score"] = int(referrer["score"]) + self.skip * number
        referrer["count"] = int(referrer["count"]) + number

    @rule(numbers=st.sampled_from([256, 4_000, 70_000, 2_000_000]))
    def leave_join_numbers_out(self, numbers: int) -> None:
        """Nobody does this, but it makes the line cross the borders of its chunks."""
        with writing():
            wider = Waitlist.next_join_number + numbers
            db.session.execute(update(Waitlist).where(Waitlist.id == self.waitlist.id).values(next_join_number=wider))

    @rule(q=TERMS, offset=st.integers(0, 30), limit=st.integers(1, 30))
    def search(self, q: str, offset: int, limit: int) -> None:
        matching = [entry for entry in self._expected() if q.lower() in entry.email.lower()]
        page = line.page(self.waitlist, offset=offset, limit=limit, q=q)
        assert self._seen(page.entries) == self._seen(matching[offset : offset + limit])
        assert page.total == len(matching)

    @precondition(lambda self: self.joined)
    @rule(data=st.data(), limit=st.integers(1, 200))
    def read(self, data: st.DataObject, limit: int) -> None:
        expected = self._expected()
        offset = data.draw(st.integers(0, len(expected) + 3))
        page = line.page(self.waitlist, offset=offset, limit=limit)
        assert self._seen(page.entries) == self._seen(expected[offset : offset + limit])
        assert page.total == len(expected)
        one = data.draw(st.sampled_from(expected))
        found = line.find(self.waitlist, one.email)
        assert found is not None
        assert type(found.position) is int  # PostgreSQL's sums of big integers are decimals
        assert self._seen([found]) == self._seen([one])
        several = line.find_all(self.waitlist, {entry.email for entry in expected[:limit]} | {"nobody@example.org"})
        assert self._seen([several[entry.email] for entry in expected[:limit]]) == self._seen(expected[:limit])
        assert len(several) == len(expected[:limit])

    def teardown(self) -> None:
        """Whatever happened, the index agrees with the rows, and the whole line with the model."""
        if hasattr(self, "waitlist"):
            assert line_check.differences(self.waitlist) == []
            page = line.page(self.waitlist, offset=0, limit=100_000)
            assert self._seen(page.entries) == self._seen(self._expected())
        db.session.rollback()

    def _join(self, names: list[str], referrer: dict[str, int | str] | None) -> None:
        code = str(referrer["code"]) if referrer else None
        emails = [f"{name}{len(self.joined) + nth}@example.org" for nth, name in enumerate(names)]
        with writing():
            signups = [Signup(EmailAddress.parse(email), code) for email in emails]
            entries = Subscriber.join_all(self.waitlist, signups, ACTOR)
            numbers = [db.session.get_one(Subscriber, entry.id).join_number for entry in entries]
        for entry, number in zip(entries, numbers, strict=True):
            row: dict[str, int | str] = {
                "email": entry.email,
                "number": number,
                "code": entry.referral_code,
                "score": 0,
                "count": 0,
            }
            self.joined.append(row)
        assert [entry.position for entry in entries] == list(
            range(len(self.joined) - len(names) + 1, len(self.joined) + 1)
        )

    def _expected(self) -> list[Entry]:
        in_order = sorted(self.joined, key=lambda row: (int(row["number"]) - int(row["score"]), -int(row["number"])))
        return [
            Entry(0, str(row["email"]), None, place, str(row["code"]), int(row["count"]))  # type: ignore[arg-type]
            for place, row in enumerate(in_order, 1)
        ]

    @staticmethod
    def _seen(entries: list[Entry]) -> list[tuple[str, int, str, int]]:
        return [(entry.email, entry.position, entry.referral_code, entry.referral_count) for entry in entries]


@pytest.mark.parametrize("rare", [1000, 3])
def test_the_line_agrees_with_a_sorted_list(context: None, monkeypatch: pytest.MonkeyPatch, rare: int) -> None:
    monkeypatch.setattr(search, "RARE", rare)  # with 3, nearly every term counts as frequent
    run_state_machine_as_test(
        TheLine,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
