"""The secret that signs console sessions: given, or made once and kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from config import BadSetting, Settings

SECRET = "s" * 32
ROOT = Path(__file__).parent.parent
SETTINGS = tuple(Settings.model_fields)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without settings."""
    for name in (*SETTINGS, "FLASK_DEBUG"):
        monkeypatch.delenv(name, raising=False)


def load(folder: Path) -> Settings:
    """The settings of the environment, with the secret in this folder."""
    return Settings.load({}, str(folder))


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    secret = load(tmp_path / "instance").SECRET_KEY

    kept = tmp_path / "instance" / "secret_key"
    assert len(secret) >= 32
    assert kept.read_text() == secret
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert secret == load(tmp_path / "instance").SECRET_KEY
    assert [file.name for file in kept.parent.iterdir()] == ["secret_key"]


def test_a_given_secret_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", SECRET)

    assert load(tmp_path).SECRET_KEY == SECRET
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_damaged_kept_secret_stops_the_start(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_bytes(content)

    with pytest.raises(BadSetting, match=r"SECRET_KEY: .*secret_key"):
        load(tmp_path)

    (tmp_path / "secret_key").unlink()
    assert len(load(tmp_path).SECRET_KEY) >= 32


def test_an_instance_folder_that_cannot_be_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "instance").write_text("in the way")

    with pytest.raises(BadSetting, match="DATABASE_URL: "):
        load(tmp_path / "instance")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/queuekey.db")
    with pytest.raises(BadSetting, match="SECRET_KEY: "):
        load(tmp_path / "instance")


def test_whoever_is_second_by_a_moment_takes_the_first_ones_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load(tmp_path).SECRET_KEY
    monkeypatch.setattr(Path, "exists", lambda _path: False)  # as it was when the second one looked

    assert first == load(tmp_path).SECRET_KEY


def test_processes_that_start_together_share_one_secret(tmp_path: Path) -> None:
    program = "import sys; from config import Settings; print(Settings.load({}, sys.argv[1]).SECRET_KEY)"
    command = [sys.executable, "-c", program, str(tmp_path / "instance")]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(6)]

    secrets = {process.communicate(timeout=60)[0].strip() for process in processes}

    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    assert [file.name for file in (tmp_path / "instance").iterdir()] == ["secret_key"]
