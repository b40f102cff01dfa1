"""Commands about API keys: the token of a new one goes to standard output, once."""

import click
from flask import current_app

from blueprints.command_line import CommandGroup, json_option, organisation_option, print_json, print_table
from models import Actor, ApiKey, Organisation, RuleBroken, Scope, writing

ID_MAX = 2**63 - 1


class KeyId(click.ParamType[int]):
    """The number of a key. What was typed is not repeated: it may be a token."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Take the digits that `api-keys list` shows, and nothing else."""
        if not (value.isascii() and value.isdecimal() and len(value) <= 19 and 1 <= int(value) <= ID_MAX):
            self.fail("A key's ID is the number that “api-keys list” shows first, not its name, prefix or token.")
        return int(value)


api_keys = CommandGroup("api-keys", help="Create, list and revoke API keys.")


@api_keys.command("create")
@click.argument("name")
@organisation_option
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What the key may do; give one --scope for each.",
)
@json_option
def create(name: str, slug: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Create a key and print its token, which cannot be shown again."""
    wanted = [Scope(scope) for scope in scopes]  # type: ignore[call-arg]  # members carry their words
    with writing():
        organisation = Organisation.by_slug(slug)
        limit = current_app.config["API_KEY_LIMIT"]
        key, token = ApiKey.mint(organisation, name, wanted, Actor.system("api-keys create"), limit=limit)
    if as_json:
        print_json({"id": str(key.id), "prefix": key.prefix, "token": token})
    else:
        click.echo(f"Created “{key.name}” ({key.access_summary}), id {key.id}. Its token, only this once:", err=True)
        click.echo(token)


@api_keys.command("list")
@organisation_option
@json_option
def list_(slug: str, as_json: bool) -> None:
    """List an organisation's keys, newest first, revoked ones included."""
    keys = ApiKey.all_of(Organisation.by_slug(slug), revoked_too=True)
    if as_json:
        print_json({"keys": [_as_json(key) for key in keys]})
    else:
        print_table(("Id", "Name", "Access", "Prefix", "Last used", "Created", "Revoked"), list(map(_as_row, keys)))


@api_keys.command("revoke")
@click.argument("key_id", metavar="ID", type=KeyId())
@organisation_option
def revoke(key_id: int, slug: str) -> None:
    """Revoke a key, at once and for good."""
    with writing():
        key = ApiKey.of(Organisation.by_slug(slug), key_id)
        if key is None:
            raise RuleBroken("id", f"There is no key {key_id} in “{slug}”.")
        is_changed = key.revoke(Actor.system("api-keys revoke"))
    if is_changed:
        click.echo(f"Revoked “{key.name}”. Requests with it now get 401.")
    else:
        click.echo(f"“{key.name}” was revoked already. Nothing was changed.")


def _as_json(key: ApiKey) -> dict[str, object]:
    return {
        "id": str(key.id),
        "name": key.name,
        "scopes": sorted(key.scopes),
        "prefix": key.prefix,
        "last_used_at": key.last_used_at,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def _as_row(key: ApiKey) -> tuple[str, ...]:
    moments = (key.last_used_at, key.created_at, key.revoked_at)
    days = [f"{at:%Y-%m-%d %H:%M}" if at else "" for at in moments]
    return (str(key.id), key.name, key.access_summary, f"{key.prefix}…", *days)
