"""`switchboard`: the operator's commands. It needs the extra `cli`; no function imports it.

Tables and secrets are found by the outputs of the stack: SWITCHBOARD_ACCESS_TABLE, SWITCHBOARD_PODS_TABLE,
SWITCHBOARD_CONTACTS_TABLE and SWITCHBOARD_SECRETS.
"""

import json
import sys
from typing import Any

import click

from switchboard.admin import SIGHTS, Admin, RefusedError
from switchboard.api.keys import LIMIT
from switchboard.aws import clients


@click.group()
@click.option("--table", envvar="SWITCHBOARD_ACCESS_TABLE", required=True, help="Name of the access table.")
@click.option("--secrets", envvar="SWITCHBOARD_SECRETS", required=True, help="Prefix of the secrets' names.")
@click.option("--pods", envvar="SWITCHBOARD_PODS_TABLE", default="", help="Name of the table of pods.")
@click.option("--contacts", envvar="SWITCHBOARD_CONTACTS_TABLE", default="", help="Name of the table of contacts.")
@click.pass_context
def main(context: click.Context, table: str, secrets: str, pods: str, contacts: str) -> None:
    """Brands, users, API keys, connected accounts and syncs of one Switchboard."""
    context.obj = Admin(clients.dynamodb(), clients.secretsmanager(), table, secrets, pods, contacts)


@main.command()
@click.argument("name")
@click.pass_obj
def create_brand(admin: Admin, name: str) -> None:
    """Make a brand; prints its id."""
    _say(brand=admin.create_brand(name))


@main.command()
@click.argument("brand")
@click.confirmation_option(prompt="Its accounts, contacts, templates, pods and pages go for good. Go on?")
@click.pass_obj
def delete_brand(admin: Admin, brand: str) -> None:
    """Remove a brand with its accounts, contacts, templates, pods and pages; prints how many pods there were."""
    _say(pods=_tried(lambda: admin.delete_brand(brand)))


@main.command()
@click.argument("brand")
@click.argument("sight", type=click.Choice(SIGHTS))
@click.pass_obj
def set_members_see(admin: Admin, brand: str, sight: str) -> None:
    """Let members see all contacts, or only their own and those of nobody."""
    _tried(lambda: admin.set_members_see(brand, sight))


@main.command()
@click.argument("brand")
@click.argument("user")
@click.pass_obj
def delete_user(admin: Admin, brand: str, user: str) -> None:
    """Remove a user; the keys that the user has made stay."""
    _tried(lambda: admin.delete_user(brand, user))


@main.command()
@click.argument("brand")
@click.argument("email")
@click.option("--role", default="member", show_default=True, help="admin, manager, member or viewer.")
@click.pass_obj
def create_user(admin: Admin, brand: str, email: str, role: str) -> None:
    """Make a user; prints its id."""
    _say(user=_tried(lambda: admin.create_user(brand, email, role)))


@main.command()
@click.argument("brand")
@click.argument("user")
@click.argument("role")
@click.pass_obj
def set_role(admin: Admin, brand: str, user: str, role: str) -> None:
    """Change what a user, and every key of the user, may do."""
    _tried(lambda: admin.set_role(brand, user, role))


@main.command()
@click.argument("brand")
@click.argument("user")
@click.argument("scopes", nargs=-1, required=True)
@click.option("--name", default="", help="What the key is for.")
@click.option("--limit", default=LIMIT, show_default=True, help="Calls in ten seconds, on each surface.")
@click.pass_obj
def issue_key(admin: Admin, brand: str, user: str, scopes: tuple[str, ...], *, name: str, limit: int) -> None:
    """Make an API key with these scopes; prints it, once."""
    issued = _tried(lambda: admin.issue_key(brand, user, scopes, name=name, limit=limit))
    _say(id=issued.id, key=issued.secret)


@main.command()
@click.argument("brand")
@click.pass_obj
def list_keys(admin: Admin, brand: str) -> None:
    """List the keys of a brand."""
    _say(keys=admin.list_keys(brand))


@main.command()
@click.argument("brand")
@click.argument("key_id")
@click.pass_obj
def revoke_key(admin: Admin, brand: str, key_id: str) -> None:
    """Stop a key at once; it stays listed."""
    _tried(lambda: admin.revoke_key(brand, key_id))


@main.command()
@click.argument("brand")
@click.argument("key_id")
@click.pass_obj
def delete_key(admin: Admin, brand: str, key_id: str) -> None:
    """Remove a key."""
    _tried(lambda: admin.delete_key(brand, key_id))


@main.command()
@click.argument("crm")
@click.pass_obj
def set_app(admin: Admin, crm: str) -> None:
    """Keep our OAuth app at a CRM; reads {"client_id", "client_secret"} from standard input."""
    app = _given("client_id", "client_secret")
    _tried(lambda: admin.set_app(crm, app["client_id"], app["client_secret"]))


@main.command()
@click.argument("brand")
@click.argument("crm")
@click.option("--origin", help="The account's own host, such as https://acme.example.com.")
@click.option("--token-origin", help="Where its tokens come from, if not from the CRM's usual place.")
@click.option("--setting", "pairs", multiple=True, help="What else the CRM wants to know, as name=value.")
@click.pass_obj
def connect_account(admin: Admin, brand: str, crm: str, pairs: tuple[str, ...], **hosts: str | None) -> None:
    """Connect a CRM; reads its credentials as JSON from standard input and prints the account's id."""
    credentials = _given()
    settings = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
    made = _tried(lambda: admin.connect_account(brand, crm, credentials, settings=settings, **hosts))
    _say(integrated_account_id=made)


@main.command()
@click.argument("brand")
@click.argument("account")
@click.pass_obj
def reconnect_account(admin: Admin, brand: str, account: str) -> None:
    """Give an account new credentials, read as JSON from standard input; its id stays."""
    credentials = _given()
    _tried(lambda: admin.reconnect_account(brand, account, credentials))


@main.command()
@click.argument("brand")
@click.argument("account")
@click.confirmation_option(prompt="Its credentials and its contacts here go for good. Go on?")
@click.pass_obj
def disconnect_account(admin: Admin, brand: str, account: str) -> None:
    """Remove an account with its credentials; its contacts go with the next turn of its sync."""
    _tried(lambda: admin.disconnect_account(brand, account))


@main.command()
@click.argument("brand")
@click.argument("account")
@click.argument("fields", nargs=-1)
@click.pass_obj
def set_searchable(admin: Admin, brand: str, account: str, fields: tuple[str, ...]) -> None:
    """Say which custom fields of contacts have an index, by their names at the CRM; none if none is named."""
    _tried(lambda: admin.set_searchable(brand, account, fields))


@main.command()
@click.argument("brand")
@click.pass_obj
def list_syncs(admin: Admin, brand: str) -> None:
    """List how far the syncs of a brand have come."""
    _say(syncs=_tried(lambda: admin.list_syncs(brand)))


@main.command()
@click.argument("brand")
@click.argument("account")
@click.pass_obj
def sync_now(admin: Admin, brand: str, account: str) -> None:
    """Sync an account as soon as the planner runs, whenever it would be due."""
    _tried(lambda: admin.sync_now(brand, account))


@main.command()
@click.argument("brand")
@click.pass_obj
def list_accounts(admin: Admin, brand: str) -> None:
    """List the connected accounts of a brand."""
    _say(accounts=admin.list_accounts(brand))


def _given(*names: str) -> dict[str, Any]:
    """The JSON object on standard input; what is wrong with it is said without repeating it."""
    try:
        given = json.load(sys.stdin)
    except ValueError:
        raise click.ClickException("standard input: is not JSON") from None
    if not isinstance(given, dict):
        raise click.ClickException("standard input: has to be a JSON object")
    if missing := [name for name in names if not isinstance(given.get(name), str)]:
        raise click.ClickException(f"{', '.join(missing)}: has to be a string")
    return given


def _tried(work: Any) -> Any:
    try:
        return work()
    except RefusedError as refusal:
        raise click.ClickException(str(refusal)) from None


def _say(**found: Any) -> None:
    click.echo(json.dumps(found, indent=2))
