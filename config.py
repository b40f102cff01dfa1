"""Settings from the environment, checked once when the application starts."""

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Self

from flask.helpers import get_debug_flag
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, field_validator
from redis.connection import parse_url
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
SECRET_KEY_FILE = "secret_key"
SECRET_KEY_MIN = 32
BODY_LIMIT_BYTES = 64 * 1024

ON = frozenset({"1", "true", "yes", "on"})
OFF = frozenset({"0", "false", "no", "off"})
DEFAULT_PORTS = {"http": "80", "https": "443"}
ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?"
)


class BadSetting(SystemExit):
    """Stops the start with one line that names the setting."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")


def whole_number(least: int, most: int) -> BeforeValidator:
    """Takes ASCII digits alone: Python's int() would also read 1_0, +5 and other scripts' digits."""

    def check(value: object) -> int:
        text = str(value).strip()
        if not (text.isascii() and text.isdecimal() and len(text) <= 12 and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return BeforeValidator(check)


def switch(value: object) -> bool:
    """On or off, in the words that people use for it."""
    text = str(value).strip().lower()
    if text not in ON | OFF:
        raise ValueError("must be 1 (on) or 0 (off)")
    return text in ON


PerMinute = Annotated[int, whole_number(1, 10_000_000)]


class Settings(BaseModel):
    """Every setting; a field's name is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    DATABASE_URL: str = "sqlite:///queuekey.db"
    REDIS_URL: str = ""
    SECRET_KEY: str = ""
    PUBLIC_URL: str = ""
    TRUSTED_PROXIES: Annotated[int, whole_number(0, 16)] = 0
    PORT: Annotated[int, whole_number(1, 65535)] = 5000
    WEB_CONCURRENCY: Annotated[int, whole_number(1, 256)] = 2
    RATELIMIT_ENABLED: Annotated[bool, BeforeValidator(switch)] = True
    RATELIMIT_PRO: PerMinute = 600
    RATELIMIT_TEAM: PerMinute = 3000
    RATELIMIT_FAILED_AUTH: PerMinute = 60
    API_KEY_LIMIT: Annotated[int, whole_number(1, 100_000)] = 50

    @classmethod
    def load(cls, overrides: Mapping[str, Any], instance_path: str) -> Self:
        """Read the environment, let `overrides` win, and generate what may be generated.

        An empty variable counts as absent. Raises BadSetting for the first wrong value.
        """
        given = {name: os.environ[name] for name in cls.model_fields if os.environ.get(name, "").strip()}
        given |= {name: overrides[name] for name in cls.model_fields if name in overrides}
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            raise BadSetting(str(first["loc"][0]), _in_words(first["msg"])) from None
        if settings.is_production and get_debug_flag():
            raise BadSetting("FLASK_DEBUG", "must be off where PUBLIC_URL is https")
        instance = Path(instance_path)
        _require_place(settings.DATABASE_URL, instance)
        if settings.SECRET_KEY:
            return settings
        return settings.model_copy(update={"SECRET_KEY": _kept_secret(instance)})

    @field_validator("DATABASE_URL")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            raise ValueError("must be like sqlite:///queuekey.db or postgresql://user:password@host/database") from None
        if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
            return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
            raise ValueError("must start with sqlite:/// or postgresql://")
        if url.database in {None, "", ":memory:"} or url.query:
            raise ValueError("must name a file and nothing else: several worker processes share the database")
        return value

    @field_validator("REDIS_URL")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        try:
            if value:
                parse_url(value)  # type: ignore[no-untyped-call]
        except ValueError:
            raise ValueError("must be like redis://host:6379/0, rediss://host/0 or unix:///socket") from None
        return value

    @field_validator("SECRET_KEY")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < SECRET_KEY_MIN:
            raise ValueError(f"must have at least {SECRET_KEY_MIN} characters")
        return value

    @field_validator("PUBLIC_URL")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        """The origin as browsers send it: lower case, without the port that goes without saying."""
        if not value:
            return value
        found = ORIGIN.fullmatch(value.lower())
        if found is None or (found["port"] and not 1 <= int(found["port"]) <= 65535):
            raise ValueError("must be like https://queuekey.example, without a path")
        port = found["port"] if found["port"] != DEFAULT_PORTS[found["scheme"]] else None
        return f"{found['scheme']}://{found['host']}" + (f":{port}" if port else "")

    @property
    def is_production(self) -> bool:
        """Whether browsers reach the console over https."""
        return self.PUBLIC_URL.startswith("https://")

    def for_flask(self) -> dict[str, Any]:
        """The settings as Flask, its extensions and its cookies want them."""
        public = ORIGIN.fullmatch(self.PUBLIC_URL)
        hosts = {host.strip("[]") for host in (*LOOPBACK_HOSTS, public and public["host"]) if host}
        return self.model_dump() | {
            "SQLALCHEMY_DATABASE_URI": self.DATABASE_URL,
            "OUR_HOSTS": hosts,  # not Flask's TRUSTED_HOSTS, which cuts [::1] at its first colon and minds capitals
            "SESSION_COOKIE_NAME": "__Host-queuekey" if self.is_production else "queuekey",
            "SESSION_COOKIE_SECURE": self.is_production,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "BOOTSTRAP_SERVE_LOCAL": True,
            "MAX_FORM_MEMORY_SIZE": BODY_LIMIT_BYTES,
            "MAX_CONTENT_LENGTH": BODY_LIMIT_BYTES,
            "WTF_CSRF_TIME_LIMIT": None,  # a form is good for as long as its session
            "WTF_CSRF_SSL_STRICT": False,  # asks for a Referer, which some browsers leave out; web.py looks at Origin
        }


def _in_words(message: str) -> str:
    """Pydantic's message as the rest of a sentence that begins with the setting's name."""
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


def _require_place(database_url: str, instance: Path) -> None:
    """See that a SQLite file can be where it is to be; the instance folder is made for it."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return
    file = instance / (url.database or "")  # an absolute path stays as it is
    try:
        if file.parent == instance:
            instance.mkdir(0o700, parents=True, exist_ok=True)
        if not file.parent.is_dir():
            raise BadSetting("DATABASE_URL", f"there is no folder {file.parent}")
        if file.exists() and not file.is_file():
            raise BadSetting("DATABASE_URL", f"{file} is not a file")
    except OSError as error:
        raise BadSetting("DATABASE_URL", f"{file}: {error.strerror}") from None
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise BadSetting("DATABASE_URL", f"{file} cannot be written")


def _kept_secret(instance: Path) -> str:
    """The generated secret in the instance folder, made by whichever process comes first."""
    kept = instance / SECRET_KEY_FILE
    try:
        if not kept.exists():
            _draft_secret(kept)
        secret = kept.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting("SECRET_KEY", f"cannot be kept in {kept} ({error}); set it") from None
    if len(secret) < SECRET_KEY_MIN:
        raise BadSetting("SECRET_KEY", f"{kept} holds fewer than {SECRET_KEY_MIN} characters; remove it or set one")
    return secret


def _draft_secret(kept: Path) -> None:
    kept.parent.mkdir(0o700, parents=True, exist_ok=True)
    draft = kept.with_name(f".{kept.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):  # another process was first: its secret wins
            os.link(draft, kept)  # whole at once, unlike a file that is being written
    finally:
        draft.unlink()
