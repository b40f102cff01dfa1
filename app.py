"""The application: which parts there are and how they hang together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from blueprints import (
    activity,
    api,
    api_keys,
    auth,
    backup,
    docs,
    health,
    limits,
    organisations,
    server,
    slow_bodies,
    waitlists,
    web,
    words,
)
from blueprints.json_format import OrjsonProvider
from config import Settings
from models import connection, db

HERE = Path(__file__).parent


class Queuekey(Flask):
    """Flask without its question, nine times a request, whether a function is a coroutine: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function back as it is."""
        return func


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Build the application from the environment; `config` wins over it. Raises BadSetting."""
    app = Queuekey(__name__, instance_path=str(HERE / "instance"))
    overrides = dict(config or {})
    settings = Settings.load(overrides, app.instance_path)
    app.config.from_mapping(overrides | settings.for_flask())
    app.json = OrjsonProvider(app)
    app.url_map.merge_slashes = False
    if settings.TRUSTED_PROXIES:
        count = settings.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]

    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = connection.engine_options(settings.DATABASE_URL, server.THREADS)
    db.init_app(app)
    connection.init_app(app)
    Migrate(app, db, directory=str(HERE / "migrations"), render_as_batch=True)

    for part in (web, limits, words, auth, api, server, slow_bodies):  # web first: its hooks see what the others refuse
        part.init_app(app)
    Bootstrap5(app)
    csrf = CSRFProtect(app)
    csrf.exempt(api.blueprint)

    for door in (api, api_keys, activity, auth, organisations, waitlists, docs, health):
        app.register_blueprint(door.blueprint)
    for door in (organisations, auth, waitlists, api_keys, activity, backup, server):
        for command in door.commands:
            app.cli.add_command(command)
    api.require_declared_access(app)
    server.settle()
    return app
