"""Settings from the environment, checked once when the application starts."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
SECRET_KEY_FILE = "secret_key"
BODY_LIMIT_BYTES = 64 * 1024

PerMinute = Annotated[int, Field(ge=1, le=10_000_000)]


class BadSetting(SystemExit):
    """Stops the start with one line that names the setting."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")


class Settings(BaseModel):
    """Every setting; a field's name is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    DATABASE_URL: str = "sqlite:///queuekey.db"
    REDIS_URL: str = ""
    SECRET_KEY: str = ""
    PUBLIC_URL: str = ""
    TRUSTED_PROXIES: int = Field(default=0, ge=0, le=16)
    PORT: int = Field(default=5000, ge=1, le=65535)
    WEB_CONCURRENCY: int = Field(default=2, ge=1, le=256)
    RATELIMIT_ENABLED: bool = True
    RATELIMIT_PRO: PerMinute = 600
    RATELIMIT_TEAM: PerMinute = 3000
    RATELIMIT_FAILED_AUTH: PerMinute = 60
    API_KEY_LIMIT: int = Field(default=50, ge=1, le=100_000)

    @classmethod
    def load(cls, overrides: Mapping[str, Any], instance_path: str) -> Self:
        """Read the environment, let `overrides` win, and generate what may be generated.

        An empty variable counts as absent. Raises BadSetting for the first wrong value.
        """
        given = {name: os.environ[name] for name in cls.model_fields if os.environ.get(name)}
        given |= {name: overrides[name] for name in cls.model_fields if name in overrides}
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            raise BadSetting(str(first["loc"][0]), _in_words(first["msg"])) from None
        if settings.SECRET_KEY:
            return settings
        return settings.model_copy(update={"SECRET_KEY": _kept_secret(Path(instance_path))})

    @field_validator("DATABASE_URL")
    @classmethod
    def _known_database(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("is not a database URL") from None
        if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
            return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
            raise ValueError("must start with sqlite:/// or postgresql://")
        if url.database in {None, "", ":memory:"}:
            raise ValueError("must name a file: several worker processes share the database")
        return value

    @field_validator("REDIS_URL")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must start with redis://, rediss:// or unix://")
        return value

    @field_validator("SECRET_KEY")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("PUBLIC_URL")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        try:
            usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
            raise ValueError("must be like https://queuekey.example, without a path")
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def is_production(self) -> bool:
        """Whether browsers reach the console over https."""
        return self.PUBLIC_URL.startswith("https://")

    def for_flask(self) -> dict[str, Any]:
        """The settings as Flask, its extensions and its cookies want them."""
        hosts = [*LOOPBACK_HOSTS]
        if hostname := urlsplit(self.PUBLIC_URL).hostname:
            hosts.append(f"[{hostname}]" if ":" in hostname else hostname)
        return self.model_dump() | {
            "SQLALCHEMY_DATABASE_URI": self.DATABASE_URL,
            "TRUSTED_HOSTS": hosts,
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


def _kept_secret(instance: Path) -> str:
    """The generated secret in the instance folder, made by whichever process comes first."""
    instance.mkdir(parents=True, exist_ok=True)
    kept = instance / SECRET_KEY_FILE
    if not kept.exists():
        draft = instance / f".{SECRET_KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, kept)  # fails when another process was first: its secret wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    secret = kept.read_text().strip()
    if len(secret) < 32:
        raise BadSetting("SECRET_KEY", f"{kept} holds fewer than 32 characters; remove it or set SECRET_KEY")
    return secret
