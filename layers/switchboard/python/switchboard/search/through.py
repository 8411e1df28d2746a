"""Writing through: a contact that was made or removed through us is in the store at once, and not at the next sync."""

from collections.abc import Callable

from switchboard.crm.catalog import Resource
from switchboard.crm.dialect import Answer
from switchboard.search.contact import contact_id, linked
from switchboard.search.keeping import Keeper, Whose, stored
from switchboard.talks.line import Line

SPARE_SECONDS = 3
"""The caller is not kept waiting for it: it is left to the sync where the deadline leaves less."""


def contacts_of(line: Line, resource: Resource) -> Resource | None:
    """The contacts of a CRM, where a resource of it is the same object: its leads may be contacts."""
    found = line.crm.resources.get("contacts")
    return found if isinstance(found, Resource) and found.path == resource.path else None


def made(line: Line, resource: Resource, answer: Answer) -> None:
    """Keep a record that was just made, if it is a contact."""
    contacts = contacts_of(line, resource)
    if contacts is None or answer.partial or line.deadline.left < SPARE_SECONDS:
        return
    item = linked(line.crm.dialect.item(contacts, answer.raw), contacts, line.origin)
    if "id" not in item or "created_at" not in item:
        return  # less than a list tells of it
    account = line.account
    whose = Whose(account.brand, account.id, account.crm, account.searchable)
    _quietly(line, lambda keeper: keeper.keep([stored(whose, item)]))


def removed(line: Line, resource: Resource, id: str) -> None:
    """Forget a record that was just removed, if it is a contact."""
    if contacts_of(line, resource) is not None and line.deadline.left >= SPARE_SECONDS:
        gone = contact_id(line.account.brand, line.account.id, id)
        _quietly(line, lambda keeper: keeper.remove([gone]))


def _quietly(line: Line, work: Callable[[Keeper], object]) -> None:
    """Whatever becomes of it, the CRM has done what it was asked: the next sync will see."""
    services = line.services
    try:
        work(Keeper(services.contacts, line.account.brand, services.clock.now()))
    except Exception:
        services.log.exception("write-through", extra={"brand": line.account.brand, "account": line.account.id})
