"""Commands about the people who sign in to the console."""

import click

from blueprints.command_line import CommandGroup, organisation_option, password_option, print_table
from models import Actor, Organisation, Role, RuleBroken, User, writing

users = CommandGroup("users", help="Create users, shut them out, and set their passwords.")


@users.command("create")
@click.argument("email")
@organisation_option
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="Members only read.")
@click.option("--name", default="", help="Shown in the activity log.  [default: from the address]")
@password_option
def create(email: str, slug: str, role: str, name: str, password: str) -> None:
    """Create somebody who signs in with EMAIL and the password on standard input."""
    with writing():
        organisation = Organisation.by_slug(slug)
        User.create(organisation, email, Role(role), password, Actor.system("users create"), name=name)
    click.echo(f"Created {email}, {role} of {organisation.name}.")


@users.command("list")
@organisation_option
def list_(slug: str) -> None:
    """List an organisation's users, deactivated ones included."""
    everybody = User.all_of(Organisation.by_slug(slug))
    print_table(("E-mail", "Name", "Role", "Deactivated"), list(map(_as_row, everybody)))


@users.command("deactivate")
@click.argument("email")
def deactivate(email: str) -> None:
    """Shut a user out at once: all sessions end, and nobody signs in with EMAIL again."""
    with writing():
        is_changed = _user(email).deactivate(Actor.system("users deactivate"))
    click.echo(f"Deactivated {email}." if is_changed else f"{email} was deactivated already. Nothing was changed.")


@users.command("set-password")
@click.argument("email")
@password_option
def set_password(email: str, password: str) -> None:
    """Set a user's password to the one on standard input and end all of their sessions."""
    with writing():
        _user(email).change_password(password, Actor.system("users set-password"))
    click.echo(f"Changed the password of {email}. They are signed out everywhere.")


def _as_row(user: User) -> tuple[str, ...]:
    left = f"{user.deactivated_at:%Y-%m-%d %H:%M}" if user.deactivated_at else ""
    return (user.email, user.name, user.role, left)


def _user(email: str) -> User:
    user = User.by_email(email)
    if user is None:
        raise RuleBroken("email", f"Nobody signs in with “{email}”.")
    return user
