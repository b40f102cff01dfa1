"""Settings: what each takes, what stops the start, and the secret that is kept."""

import re
from pathlib import Path

import pytest

from app import create_app
from config import BadSetting, Settings

SECRET = "s" * 32
SETTINGS = tuple(Settings.model_fields)

BAD = [
    ("DATABASE_URL", "queuekey.db"),
    ("DATABASE_URL", "mysql://root@localhost/queuekey"),
    ("DATABASE_URL", "postgresql+asyncpg://localhost/queuekey"),
    ("DATABASE_URL", "postgresql://localhost:port/queuekey"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATABASE_URL", "sqlite:///file::memory:?uri=true"),
    ("DATABASE_URL", "sqlite:////nowhere/at/all/queuekey.db"),
    ("DATABASE_URL", "sqlite:///missing/queuekey.db"),
    ("DATABASE_URL", "sqlite:////"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://localhost"),
    ("REDIS_URL", "redis://localhost:port/0"),
    ("REDIS_URL", "redis://localhost:70000/0"),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", "s" * 31),
    ("SECRET_KEY", " " * 40 + "s"),
    ("PUBLIC_URL", "queuekey.example"),
    ("PUBLIC_URL", "ftp://queuekey.example"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https://queuekey.example/console"),
    ("PUBLIC_URL", "https://queuekey.example?a=b"),
    ("PUBLIC_URL", "https://queuekey.example#top"),
    ("PUBLIC_URL", "https://me@queuekey.example"),
    ("PUBLIC_URL", "https://queuekey.example:0"),
    ("PUBLIC_URL", "https://queuekey.example:70000"),
    ("PUBLIC_URL", "https://queue key.example"),
    ("PUBLIC_URL", "https://queuékey.example"),
    ("PUBLIC_URL", "https://a..example"),
    ("PUBLIC_URL", f"https://{'a' * 64}.example"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "17"),
    ("TRUSTED_PROXIES", "10.0.0.1"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "http"),
    ("WEB_CONCURRENCY", "0"),
    ("WEB_CONCURRENCY", "257"),
    ("WEB_CONCURRENCY", "1.0"),
    ("RATELIMIT_ENABLED", "2"),
    ("RATELIMIT_ENABLED", "maybe"),
    ("RATELIMIT_PRO", "0"),
    ("RATELIMIT_PRO", "600/minute"),
    ("RATELIMIT_TEAM", "-3000"),
    ("RATELIMIT_TEAM", "3_000"),
    ("RATELIMIT_FAILED_AUTH", "+60"),
    ("RATELIMIT_FAILED_AUTH", "٦٠"),
    ("API_KEY_LIMIT", "0"),
    ("API_KEY_LIMIT", "9" * 5000),
]

GOOD = [
    ("DATABASE_URL", "postgres://me:pa%40ss@db/queuekey", "postgresql+psycopg://me:pa%40ss@db/queuekey"),
    ("DATABASE_URL", "postgresql://db/queuekey?sslmode=require", "postgresql+psycopg://db/queuekey?sslmode=require"),
    ("DATABASE_URL", "postgresql+psycopg://db/queuekey", "postgresql+psycopg://db/queuekey"),
    ("DATABASE_URL", " sqlite:///other.db ", "sqlite:///other.db"),
    ("REDIS_URL", "rediss://:secret@redis:6380/1", "rediss://:secret@redis:6380/1"),
    ("REDIS_URL", "unix:///run/redis.sock", "unix:///run/redis.sock"),
    ("SECRET_KEY", SECRET, SECRET),
    ("SECRET_KEY", "0" * 32, "0" * 32),
    ("PUBLIC_URL", "https://Queuekey.Example/", "https://queuekey.example"),
    ("PUBLIC_URL", "https://queuekey.example:443", "https://queuekey.example"),
    ("PUBLIC_URL", "http://queuekey.example:80", "http://queuekey.example"),
    ("PUBLIC_URL", "http://queuekey.example:443", "http://queuekey.example:443"),
    ("PUBLIC_URL", "http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
    ("TRUSTED_PROXIES", "16", 16),
    ("PORT", "65535", 65535),
    ("WEB_CONCURRENCY", " 4 ", 4),
    ("RATELIMIT_ENABLED", "0", False),
    ("RATELIMIT_ENABLED", "1", True),
    ("RATELIMIT_ENABLED", "False", False),
    ("RATELIMIT_PRO", "1", 1),
    ("RATELIMIT_TEAM", "10000000", 10_000_000),
    ("RATELIMIT_FAILED_AUTH", "007", 7),
    ("API_KEY_LIMIT", "100000", 100_000),
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without settings."""
    for name in (*SETTINGS, "FLASK_DEBUG"):
        monkeypatch.delenv(name, raising=False)


def load(folder: Path) -> Settings:
    """The settings of the environment, with the secret in this folder."""
    return Settings.load({}, str(folder))


def test_an_empty_environment_has_the_documented_defaults(tmp_path: Path) -> None:
    values = load(tmp_path).model_dump(exclude={"SECRET_KEY"})

    assert values == {
        "DATABASE_URL": "sqlite:///queuekey.db",
        "REDIS_URL": "",
        "PUBLIC_URL": "",
        "TRUSTED_PROXIES": 0,
        "PORT": 5000,
        "WEB_CONCURRENCY": 2,
        "RATELIMIT_ENABLED": True,
        "RATELIMIT_PRO": 600,
        "RATELIMIT_TEAM": 3000,
        "RATELIMIT_FAILED_AUTH": 60,
        "API_KEY_LIMIT": 50,
    }


def test_the_readme_has_every_setting_and_no_other() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    table = readme.partition("| Setting |")[2].partition("\n\n")[0]

    assert sorted(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == sorted(SETTINGS)


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_setting_stops_the_start_with_one_line_that_names_it(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSetting) as stopped:
        load(tmp_path)

    said = str(stopped.value.code)
    assert said.startswith(f"{name}: ")
    assert "\n" not in said
    monkeypatch.delenv(name)
    load(tmp_path)


@pytest.mark.parametrize(("name", "value", "wanted"), GOOD)
def test_a_good_setting_is_taken(
    name: str, value: str, wanted: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    assert getattr(load(tmp_path), name) == wanted


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_setting_counts_as_absent(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = load(tmp_path)
    monkeypatch.setenv(name, value)

    assert load(tmp_path) == without


def test_a_bad_setting_does_not_repeat_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://me:hunter2hunter2@db/queuekey")

    with pytest.raises(BadSetting) as stopped:
        load(tmp_path)

    assert "hunter2" not in str(stopped.value.code)


def test_a_database_that_is_a_folder_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.db").mkdir()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/folder.db")

    with pytest.raises(BadSetting, match=r"DATABASE_URL: .*folder\.db is not a file"):
        load(tmp_path)


def test_debugging_stops_the_start_in_production_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert not load(tmp_path).is_production
    monkeypatch.setenv("PUBLIC_URL", "https://queuekey.example")

    with pytest.raises(BadSetting, match="FLASK_DEBUG: must be off"):
        load(tmp_path)

    monkeypatch.delenv("FLASK_DEBUG")
    assert load(tmp_path).is_production


def test_what_a_caller_gives_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY_LIMIT", "7")

    assert Settings.load({"API_KEY_LIMIT": 3}, str(tmp_path)).API_KEY_LIMIT == 3
    assert load(tmp_path).API_KEY_LIMIT == 7


def test_cookies_are_for_https_alone_where_the_public_address_is(tmp_path: Path) -> None:
    at_home = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "SECRET_KEY": SECRET})
    public = {"PUBLIC_URL": "https://queuekey.example"}
    online = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "SECRET_KEY": SECRET} | public)

    assert (at_home.config["SESSION_COOKIE_NAME"], at_home.config["SESSION_COOKIE_SECURE"]) == ("queuekey", False)
    assert (online.config["SESSION_COOKIE_NAME"], online.config["SESSION_COOKIE_SECURE"]) == ("__Host-queuekey", True)
