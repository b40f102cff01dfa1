"""Commands about organisations, and the one that sets up a new installation."""

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import select

from blueprints.command_line import Command, CommandGroup, json_option, print_json, print_table
from blueprints.organisations.demo import LINE, Demo
from models import Actor, Feature, Organisation, Plan, db, writing
from models.organisation import plain_slug

organisations = CommandGroup("organisations", help="Create organisations and change their plans.")
plan_choice = click.Choice([plan.value for plan in Plan])


@organisations.command("create")
@click.argument("name")
@click.option("--plan", type=plan_choice, default=Plan.FREE.value, show_default=True, help="What it pays for.")
@json_option
def create(name: str, plan: str, as_json: bool) -> None:
    """Create an organisation and print its slug."""
    with writing():
        organisation = Organisation.create(name, Plan(plan), Actor.system("organisations create"))
    wanted = plain_slug(organisation.name)
    if organisation.slug != wanted:
        click.echo(f"The slug “{wanted}” is taken: this organisation's is “{organisation.slug}”.", err=True)
    if as_json:
        print_json({"slug": organisation.slug})
    else:
        click.echo(organisation.slug)


@organisations.command("list")
def list_() -> None:
    """List all organisations with their plans."""
    everybody = db.session.scalars(select(Organisation).order_by(Organisation.slug))
    print_table(("Slug", "Name", "Plan"), [(each.slug, each.name, each.plan.value) for each in everybody])


@organisations.command("set-plan")
@click.argument("slug")
@click.argument("plan", metavar="PLAN", type=plan_choice)
def set_plan(slug: str, plan: str) -> None:
    """Change an organisation's plan to free, pro or team, and say how many keys that paused or resumed."""
    after = Plan(plan)
    with writing():
        organisation = Organisation.by_slug(slug).lock(for_plan_change=True)
        before = organisation.plan
        keys = organisation.set_plan(after, Actor.system("organisations set-plan"))
    if before is after:
        click.echo(f"{organisation.name} is on the {after.label} plan already. Nothing was changed.")
        return
    changed = f"{organisation.name}: {before.label} → {after.label}."
    if before.allows(Feature.API_KEYS) != after.allows(Feature.API_KEYS):
        changed += f" {keys} {'key' if keys == 1 else 'keys'}"
        changed += " resumed." if after.allows(Feature.API_KEYS) else " paused."
    click.echo(changed)


@click.command("bootstrap", cls=Command)
@json_option
@with_appcontext
def bootstrap(as_json: bool) -> None:
    """Migrate the database and, if it is empty, fill it with a demo organisation.

    Says once how to sign in. On a database in use nothing but missing migrations is applied; with
    --json every value but "url" is null then.
    """
    upgrade()
    with writing():
        demo = Demo.create(Actor.system("bootstrap"))
    if as_json:
        print_json(_facts(demo) | {"url": _url()})
    elif demo is None:
        click.echo(f"The database is in use: nothing was changed. Sign in at {_url()}/login")
    else:
        click.echo(_welcome(demo))


def _facts(demo: Demo | None) -> dict[str, str | None]:
    if demo is None:
        return dict.fromkeys(("organisation", "email", "password", "waitlist"))
    return {
        "organisation": demo.organisation.slug,
        "email": demo.admin.email,
        "password": demo.password,
        "waitlist": demo.waitlist.public_id,
    }


def _welcome(demo: Demo) -> str:
    return f"""
  Queuekey is ready. Sign in, and change the password: it is shown only this once.

    Address    {_url()}/login
    E-mail     {demo.admin.email}
    Password   {demo.password}

  There is a demo organisation on the {demo.organisation.plan.label} plan ({demo.organisation.slug}), with the
  waitlist “{demo.waitlist.name}” ({demo.waitlist.public_id}) and {len(LINE)} sample subscribers.
"""


def _url() -> str:
    """Where the console is: PUBLIC_URL, or this machine."""
    public_url: str = current_app.config["PUBLIC_URL"]
    return public_url or f"http://127.0.0.1:{current_app.config['PORT']}"
