"""Moments, numbers and flags as templates say them."""

from datetime import UTC, datetime

from flask import Flask
from flask_login import current_user

from models import Feature, now


def init_app(app: Flask) -> None:
    """Give every template the filters and the flags of the navigation."""
    app.add_template_filter(ago)
    app.add_template_filter(utc)
    app.context_processor(_navigation)


def ago(at: datetime) -> str:
    """A past moment as people say it: "2 minutes ago", "yesterday", from 30 days on "12 Jan 2026"."""
    at = at.astimezone(UTC)
    seconds = max(0, int((now() - at).total_seconds()))
    days = (now().date() - at.date()).days
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return _counted(seconds // 60, "minute")
    if days == 0 or seconds < 6 * 3600:
        return _counted(seconds // 3600, "hour")
    if days == 1:
        return "yesterday"
    if days < 30:
        return _counted(days, "day")
    return f"{at.day} {at:%b %Y}"


def utc(at: datetime) -> str:
    """A moment for a `datetime` attribute (RFC 3339), to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'} ago"


def _navigation() -> dict[str, bool]:
    is_admin = current_user.is_authenticated and current_user.is_admin
    return {"can_see_api_keys": is_admin and current_user.organisation.allows(Feature.API_KEYS)}
