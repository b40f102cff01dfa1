"""Organisation, Plan and Feature: the tenant and what its plan allows."""

import re
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from sqlalchemy import CheckConstraint, Dialect, String, func, select, text
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from models import gate
from models.activity import Action, ActivityEvent, Actor, Target
from models.base import Base, BigId, RuleBroken, db, now

if TYPE_CHECKING:
    from models.api_key import ApiKey


class Plan(StrEnum):
    """What an organisation pays for, from the least to the most."""

    FREE = "free"
    PRO = "pro"
    TEAM = "team"

    @classmethod
    def _missing_(cls, value: object) -> "Plan":
        """A value that nobody knows allows nothing."""
        return cls.FREE

    @property
    def label(self) -> str:
        """The plan's name as people read it."""
        return self.value.capitalize()

    @property
    def rank(self) -> int:
        """The place in the order of plans, from 0."""
        return list(Plan).index(self)

    @property
    def is_paid(self) -> bool:
        """Whether it is more than the free plan."""
        return self is not Plan.FREE

    @property
    def features(self) -> list["Feature"]:
        """Everything that this plan allows and not every plan has."""
        return [feature for feature in Feature if self.allows(feature)]

    def allows(self, feature: "Feature") -> bool:
        """Whether this plan reaches the one that the feature needs."""
        return self.rank >= feature.required_plan.rank


class Feature(StrEnum):
    """What not every plan has."""

    API_KEYS = "api_keys"

    @property
    def required_plan(self) -> Plan:
        """The least plan that has it."""
        return {Feature.API_KEYS: Plan.PRO}[self]

    @property
    def label(self) -> str:
        """The feature's name as people read it."""
        return {Feature.API_KEYS: "API keys and the customer API"}[self]


class FeatureNotAllowed(Exception):
    """The organisation's plan does not have the feature that was asked for."""

    def __init__(self, plan: Plan, feature: Feature) -> None:
        super().__init__(f"{feature.label} need the {feature.required_plan.label} plan.")
        self.plan = plan
        self.feature = feature


class PlanColumn(TypeDecorator[Plan]):
    """A plan stored by its value; what is unknown or absent reads as Free."""

    impl = String(16)
    cache_ok = True

    def process_bind_param(self, value: Plan | None, dialect: Dialect) -> str | None:
        """Store the plan's value."""
        return None if value is None else Plan(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Plan:
        """Read the plan; never fails."""
        return Plan(value or Plan.FREE)


class Organisation(Base):
    """A tenant: everything else belongs to one."""

    __tablename__ = "organisations"
    __table_args__ = (
        CheckConstraint("plan IN ('free', 'pro', 'team')", name="plan"),
        CheckConstraint("slug <> ''", name="slug"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    plan: Mapped[Plan] = mapped_column(PlanColumn, default=Plan.FREE)
    created_at: Mapped[datetime] = mapped_column(default=now)
    active_keys: WriteOnlyMapped["ApiKey"] = relationship(
        primaryjoin="and_(Organisation.id == ApiKey.organisation_id, ApiKey.revoked_at.is_(None))",
        viewonly=True,
    )

    @classmethod
    def create(cls, name: str, plan: Plan, actor: Actor) -> Self:
        """Add an organisation with a slug of its own, made from the name. Raises RuleBroken."""
        name = name.strip()
        if not 1 <= len(name) <= 100 or not name.isprintable():
            raise RuleBroken("name", "Give the organisation a name of 1 to 100 printable characters.")
        organisation = cls(name=name, plan=plan, slug=cls._free_slug(name))
        db.session.add(organisation)
        db.session.flush()
        ActivityEvent.record(organisation.id, Action.ORGANISATION_CREATED, actor, organisation.target)
        return organisation

    @classmethod
    def by_slug(cls, slug: str) -> Self:
        """The organisation with this slug. Raises RuleBroken when there is none."""
        organisation = db.session.scalar(select(cls).where(cls.slug == slug))
        if organisation is None:
            raise RuleBroken("organisation", f"There is no organisation “{slug}”.")
        return organisation

    @classmethod
    def none_yet(cls) -> bool:
        """Whether there is no organisation; if so, nobody else adds one until the transaction ends."""
        if db.session.connection().dialect.name == "postgresql":  # SQLite has one writer at a time anyway
            db.session.execute(text(f"LOCK TABLE {cls.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))
        return db.session.scalar(select(cls.id).limit(1)) is None

    @classmethod
    def _free_slug(cls, name: str) -> str:
        stem = plain_slug(name)
        taken = set(db.session.scalars(select(cls.slug).where(cls.slug.startswith(stem, autoescape=True))))
        slug, number = stem, 1
        while slug in taken:
            number += 1
            slug = f"{stem}-{number}"
        return slug

    @property
    def target(self) -> Target:
        """The organisation as the activity log names it."""
        return Target("organisation", self.slug, self.name)

    def allows(self, feature: Feature) -> bool:
        """Whether the organisation's plan has the feature: both plan gates ask here."""
        return self.plan.allows(feature)

    def active_key_count(self) -> int:
        """How many of its keys are not revoked, whether they work or are paused."""
        keys = self.active_keys.select().subquery()
        return db.session.scalar(select(func.count()).select_from(keys)) or 0

    def require(self, feature: Feature) -> None:
        """Raises FeatureNotAllowed where the plan does not have the feature."""
        if not self.allows(feature):
            raise FeatureNotAllowed(self.plan, feature)

    def lock(self, *, for_plan_change: bool = False) -> Self:
        """Re-read the row under a lock until the transaction ends, and give it back.

        A plan change shuts out changes made by keys, which hold the row FOR KEY SHARE; minting only
        shuts out other minting and plan changes.
        """
        statement = select(type(self)).where(type(self).id == self.id)
        statement = statement.with_for_update(key_share=not for_plan_change)
        return db.session.scalars(statement.execution_options(populate_existing=True)).one()

    def set_plan(self, plan: Plan, actor: Actor) -> int:
        """Change the plan and record how many keys that paused or resumed, which is also returned.

        Keys keep their rows: a lapsed plan pauses them, a restored one resumes them. The same plan
        again changes nothing and writes nothing.
        """
        gate.shut(self.id)
        organisation = self.lock(for_plan_change=True)
        before = organisation.plan
        if before is plan:
            return 0
        details: dict[str, object] = {"from": before.value, "to": plan.value}
        affected = 0
        if before.allows(Feature.API_KEYS) != plan.allows(Feature.API_KEYS):
            affected = self.active_key_count()
            details["keys_resumed" if plan.allows(Feature.API_KEYS) else "keys_paused"] = affected
        organisation.plan = plan
        db.session.flush()
        ActivityEvent.record(self.id, Action.PLAN_CHANGED, actor, self.target, details)
        return affected


def plain_slug(name: str) -> str:
    """The slug that a name gives where nobody has it yet: lower-case ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "organisation"
