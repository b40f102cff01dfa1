"""Nouns, their invariants and their verbs: what the rest of the product imports."""

from models import line
from models.activity import Action, ActivityEvent, Actor, ActorType, Target
from models.address import EmailAddress
from models.api_key import ApiKey, FormAlreadyUsed, KeyLimitReached, ResolvedKey
from models.base import RuleBroken, db, now, writing
from models.organisation import Feature, FeatureNotAllowed, Organisation, Plan
from models.scope import Scope
from models.subscriber import Subscriber
from models.user import Role, User
from models.waitlist import Waitlist

__all__ = [
    "Action",
    "ActivityEvent",
    "Actor",
    "ActorType",
    "ApiKey",
    "EmailAddress",
    "Feature",
    "FeatureNotAllowed",
    "FormAlreadyUsed",
    "KeyLimitReached",
    "Organisation",
    "Plan",
    "ResolvedKey",
    "Role",
    "RuleBroken",
    "Scope",
    "Subscriber",
    "Target",
    "User",
    "Waitlist",
    "db",
    "line",
    "now",
    "writing",
]
