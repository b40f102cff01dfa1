"""Nouns, their invariants and their verbs: what the rest of the product imports."""

from models import line
from models.activity import Action, ActivityEvent, Actor, ActorType, Target
from models.address import EmailAddress
from models.api_key import ApiKey, FormAlreadyUsed, KeyLimitReached, ResolvedKey
from models.base import RuleBroken, TryAgain, db, now, transact, writing
from models.login_try import LoginTry
from models.organisation import Feature, FeatureNotAllowed, Organisation, Plan
from models.scope import Scope
from models.subscriber import AlreadyJoined, Entry, Signup, Subscriber
from models.subscriber_export import SubscriberExport
from models.user import Role, User
from models.waitlist import Waitlist, WaitlistArchived

__all__ = [
    "Action",
    "ActivityEvent",
    "Actor",
    "ActorType",
    "AlreadyJoined",
    "ApiKey",
    "EmailAddress",
    "Entry",
    "Feature",
    "FeatureNotAllowed",
    "FormAlreadyUsed",
    "KeyLimitReached",
    "LoginTry",
    "Organisation",
    "Plan",
    "ResolvedKey",
    "Role",
    "RuleBroken",
    "Scope",
    "Signup",
    "Subscriber",
    "SubscriberExport",
    "Target",
    "TryAgain",
    "User",
    "Waitlist",
    "WaitlistArchived",
    "db",
    "line",
    "now",
    "transact",
    "writing",
]
