"""The rules of the house (docs/architecture.md), as far as source can be read for them."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

import blueprints.api
from app import create_app
from models import Action
from tests.conftest import SECRET_KEY
from tests.source import EVERYTHING, PRODUCT, ROOT, code, functions, imports, is_view, length, modules, package, strings

VIEWS = [module for module in modules("blueprints/**/*.py") if any(map(is_view, functions(module)))]
PACKAGES = {package(module) for module in modules("blueprints/*/*.py")}
SHARED_GUARDS = "blueprints.auth.decorators"
VENDORED = {"static", "bootstrap.static", "docs.static"}

ABOUT_THE_TESTS = {"tests/test_conventions", "tests/test_migrations", "tests/test_no_skips", "tests/test_reliability"}

BANNED_NAME = re.compile(r"utils?|helpers?|services?|managers?|commons?|misc|lib|stuff", re.IGNORECASE)
SQL = re.compile(r"\b(SELECT\b.*\bFROM|INSERT\s+INTO|UPDATE\b.*\bSET|DELETE\s+FROM)\b", re.DOTALL)


# 1. Imports point down only.


@pytest.mark.parametrize("module", modules("models/**/*.py"))
def test_models_import_nothing_from_above_them(module: str) -> None:
    assert not {name.partition(".")[0] for name in imports(module)} & {"app", "config", "blueprints", "tests"}


@pytest.mark.parametrize("module", modules("blueprints/**/*.py"))
def test_blueprints_import_models_what_they_share_and_themselves(module: str) -> None:
    assert not {name.partition(".")[0] for name in imports(module)} & {"app", "tests"}
    siblings = {f"blueprints.{other}" for other in PACKAGES - {package(module)}}
    foreign = {name for name in imports(module) if ".".join(name.split(".")[:2]) in siblings}
    assert {name for name in foreign if ".".join(name.split(".")[:3]) != SHARED_GUARDS} <= {"blueprints.auth"}


def test_nobody_imports_the_application_but_what_starts_it() -> None:
    assert [module for module in modules(*PRODUCT) if "app" in imports(module)] == []


# 2. Models know nothing of the web.


@pytest.mark.parametrize("module", modules("models/**/*.py"))
def test_models_never_touch_request_session_forms_or_templates(module: str) -> None:
    web = {f"flask.{name}" for name in ("request", "session", "g", "current_app", "flash", "abort", "render_template")}
    assert not imports(module) & web
    assert not {name.partition(".")[0] for name in imports(module)} & {"flask_wtf", "wtforms", "jinja2", "werkzeug"}


def test_only_the_user_knows_how_passwords_are_kept() -> None:
    assert [module for module in modules(*PRODUCT) if "bcrypt" in imports(module)] == ["models/user.py"]


# 3. Views see neither credentials nor SQL; templates do not query.


@pytest.mark.parametrize("module", VIEWS)
def test_views_see_no_authorization_header_no_digest_and_no_sql(module: str) -> None:
    assert not re.search("authorization|digest", code(module), re.IGNORECASE)
    assert not any(SQL.search(string) for string in strings(module))
    assert not imports(module) & {f"sqlalchemy.{name}" for name in ("text", "select", "insert", "update", "delete")}


@pytest.mark.parametrize("template", modules("templates/**/*.html"))
def test_templates_do_not_query(template: str) -> None:
    assert not re.search(r"\bdb\.|\.query\b|\.scalars?\(|\.execute\(", (ROOT / template).read_text())


# 4. Model verbs record their events; actors are made in two places.


@pytest.mark.parametrize("module", [name for name in modules("blueprints/*/views*.py") if "/api/" not in name])
def test_console_views_write_in_the_transaction_that_looks_at_their_session_again(module: str) -> None:
    assert not imports(module) & {"models.writing", "models.transact", "models.base"}


@pytest.mark.parametrize("module", modules("blueprints/**/*.py"))
def test_no_door_records_an_event_itself(module: str) -> None:
    assert not re.search(r"ActivityEvent\.record", code(module))


def test_actors_are_made_by_the_consoles_session_the_apis_hook_and_commands_alone() -> None:
    def made_by(call: str) -> list[str]:
        return [module for module in modules("app.py", "blueprints/**/*.py") if re.search(call, code(module))]

    assert made_by(r"\.as_actor\(") == ["blueprints/api/authentication.py", "blueprints/auth/decorators.py"]
    assert made_by(r"\bActor\(") == []
    for module in made_by(r"\bActor\.system\("):
        assert re.search(r"cli|command_line|demo", module), module


def test_actions_are_named_noun_verb_and_used() -> None:
    recording = "".join(code(module) for module in modules("models/*.py"))
    for action in Action:
        assert re.fullmatch("[a-z]+(_[a-z]+)*[.][a-z]+(_[a-z]+)*", action), action
        assert action.name == action.value.replace(".", "_").upper()
        assert f"Action.{action.name}" in recording, f"{action} is never recorded"


# 5. Every view says who may open it.


def views(app: Flask) -> dict[str, Callable[..., object]]:
    return {endpoint: view for endpoint, view in app.view_functions.items() if endpoint not in VENDORED}


def test_every_api_view_declares_its_access_and_its_feature(app: Flask) -> None:
    found = {endpoint: view for endpoint, view in views(app).items() if endpoint.startswith("api.")}
    assert found
    for endpoint, view in found.items():
        assert getattr(view, "access", None), endpoint
        assert getattr(view, "feature", None) or view.access == "public", endpoint  # type: ignore[attr-defined]


def test_an_api_view_without_declared_access_stops_the_start(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    settings = {"DATABASE_URL": app.config["DATABASE_URL"], "SECRET_KEY": SECRET_KEY}
    assert create_app(settings)
    declared = blueprints.api.blueprint.deferred_functions

    def undeclared(state: object) -> None:
        state.add_url_rule("/fresh", "fresh", lambda: "let in")  # type: ignore[attr-defined]

    monkeypatch.setattr(blueprints.api.blueprint, "deferred_functions", [*declared, undeclared])
    with pytest.raises(RuntimeError, match=r"api\.fresh declares neither"):
        create_app(settings)


def test_every_console_view_is_guarded(app: Flask) -> None:
    for endpoint, view in views(app).items():
        if not endpoint.startswith("api."):
            assert getattr(view, "guard", None) in {"member", "admin", "anyone"}, endpoint


def test_no_view_both_reads_and_changes(app: Flask) -> None:
    reading = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    changing = {
        rule.endpoint for rule in app.url_map.iter_rules() if (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    assert reading
    assert changing
    assert not reading & changing


# Sizes and names.


@pytest.mark.parametrize("module", modules(*EVERYTHING))
def test_files_and_functions_are_short(module: str) -> None:
    assert len((ROOT / module).read_text().splitlines()) <= 250
    long = {function.name: length(function) for function in functions(module) if length(function) > 35}
    assert not long or module.startswith("migrations/")


@pytest.mark.parametrize("module", VIEWS)
def test_views_are_shorter_still(module: str) -> None:
    assert {view.name: length(view) for view in functions(module) if is_view(view) and length(view) > 20} == {}


@pytest.mark.parametrize("module", modules(*EVERYTHING))
def test_no_module_is_named_for_being_a_drawer(module: str) -> None:
    assert not [part for part in module.removesuffix(".py").split("/") if BANNED_NAME.fullmatch(part)]
    assert not [part for part in module.removesuffix(".py").split("_") if BANNED_NAME.fullmatch(part)]


# Tests mirror the code.


def mirrored(module: str) -> str:
    """Where the tests of a module are."""
    folder, _, name = module.rpartition("/")
    return "/".join(filter(None, ("tests", folder, f"test_{name}")))


@pytest.mark.parametrize("test", modules(*(f"tests/{part}test_*.py" for part in ("", "models/**/", "blueprints/**/"))))
def test_every_test_file_belongs_to_a_module(test: str) -> None:
    """Named for the module, or for the module and a theme: test_views.py, test_views_create.py."""
    stems = {mirrored(module).removesuffix(".py") for module in modules(*PRODUCT)} | ABOUT_THE_TESTS
    assert any(test.removesuffix(".py") == stem or test.startswith(f"{stem}_") for stem in stems)


@pytest.mark.parametrize("module", [name for name in modules(*PRODUCT) if not name.endswith("__init__.py")])
def test_every_module_has_its_tests(module: str) -> None:
    through_views = module.endswith(("forms.py", "auth/decorators.py"))
    stem = mirrored(module).removesuffix(".py")
    found = modules(f"{stem}.py", f"{stem}_*.py")
    assert found or through_views


@pytest.mark.parametrize("folder", sorted({str(path.parent.relative_to(ROOT)) for path in ROOT.glob("tests/**/*.py")}))
def test_every_tests_folder_is_a_package(folder: str) -> None:
    assert (ROOT / folder / "__init__.py").exists()
