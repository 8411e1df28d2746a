"""The part of the demo that is about contacts: planted in every fake CRM, synced as the schedule would, searched,
changed at the CRM, synced again."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from switchboard.aws.contacts import ContactsTable
from switchboard.ports import Checkpoint
from tests.local.expecting import expect
from tests.local.samples import Person
from tests.local.story import USER
from tests.local.tenant import SAMPLES, Tenant

EACH = 200
"""Contacts in each CRM."""
FIRST = ("Ada", "Grace", "Mary", "Katherine", "Annie", "Hedy", "Radia", "Barbara", "Adele", "Adriana")
LAST = ("Lovelace", "Hopper", "Somerville", "Johnson", "Easley", "Lamarr", "Perlman", "Liskov", "Goldstine", "Borg")
VERSION = {"version": "2026-06-01"}
SYNC_SECONDS = 90
"""So long all syncs together may take."""

type Body = dict[str, Any]
type Check = Callable[[], str]


def where(name: str, operator: str, value: Any) -> Body:
    """A condition."""
    return {"field": name, "operator": operator, "values" if isinstance(value, list) else "value": value}


@dataclass
class Contacts:
    """The contacts of a brand, at its CRMs and in our store. `plan`: what the schedule starts."""

    tenant: Tenant
    plan: Callable[[], Any]
    planted: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def steps(self) -> Iterator[tuple[str, str, Check]]:
        """What is shown, in order: what it is called, of which CRM, and how."""
        for crm in sorted(self.tenant.accounts):
            yield f"{EACH} contacts planted", crm, lambda crm=crm: self.plant(crm)
        yield "the schedule's function, and all syncs", "all", self.synced
        for crm in sorted(self.tenant.accounts):
            yield "its contacts, page by page", crm, lambda crm=crm: self.walked(crm)
        yield (
            "by an address of e-mail",
            "hubspot",
            lambda: self.found([where("email", "eq", "ADA0@HubSpot.example")], 1),
        )
        yield "by a domain, newest first", "zoho", lambda: self.found([where("domain", "eq", "zoho.example")], EACH)
        yield "by the beginning of a name", "all", self.beginning
        yield "by the owner's name", "salesforce", self.owner
        yield "two conditions", "pipedrive", self.both
        yield "one or the other", "all", self.either
        yield "words that somebody typed", "close", lambda: self.spoken("lovel ada0@close")
        yield "one contact by its id", "insightly", self.one
        yield "a cursor of another search: refused", "all", self.strange
        yield "changed, deleted and added at every CRM", "all", self.disturbed
        yield "the syncs again", "all", lambda: self.synced(deletions=True)
        for crm in sorted(self.tenant.accounts):
            yield "the difference", crm, lambda crm=crm: self.difference(crm)

    # --- at the CRMs -------------------------------------------------------------------------------------------------

    def person(self, crm: str, number: int, owner: str, company: str) -> Body:
        """The contact of that number, in the CRM's own words."""
        one = Person(
            first=FIRST[number % len(FIRST)],
            last=LAST[number // len(FIRST) % len(LAST)],
            title=("Programmer", "Engineer", "Head of Programmes")[number % 3],
            email=f"{FIRST[number % len(FIRST)].lower()}{number}@{crm}.example",
            phone=f"+4420794{number:05d}",
            owner=owner,
            company=company,
            made=datetime.now(UTC) - timedelta(days=2 * (EACH - number)),
        )
        return SAMPLES[crm].person(one)

    def plant(self, crm: str) -> str:
        """Contacts, all at once."""
        told = self.tenant.story(crm)
        people = [self.person(crm, number, told["users"], told.get("companies", "")) for number in range(EACH)]
        self.planted[crm] = [str(id) for id in self.vendor(crm, "POST", "records/contacts", people)["ids"]]
        return f"{len(self.planted[crm])} at the CRM"

    def disturbed(self) -> str:
        """At every CRM three are renamed, two are deleted and one is added."""
        for crm, ids in self.planted.items():
            for id in ids[10:13]:
                self.vendor(crm, "PATCH", f"records/contacts/{id}", SAMPLES[crm].rename("Emmy", "Noether"))
            for id in ids[20:22]:
                self.vendor(crm, "DELETE", f"records/contacts/{id}")
            told = self.tenant.story(crm)
            body = self.person(crm, EACH, told["users"], told.get("companies", ""))
            self.vendor(crm, "POST", "records/contacts", [body])
        return f"3 renamed, 2 deleted, 1 added at each of {len(self.planted)}"

    def vendor(self, crm: str, method: str, path: str, body: Any = None) -> Any:
        """The control plane of a fake."""
        return self.tenant.vendors[crm].control(method, path, body)

    # --- ours --------------------------------------------------------------------------------------------------------

    def checkpoints(self) -> list[Checkpoint]:
        """Where the syncs are."""
        admin = self.tenant.admin
        return ContactsTable(admin.dynamodb, admin.contacts, time.sleep).checkpoints(self.tenant.brand)

    def synced(self, *, deletions: bool = False) -> str:
        """Every account is due; the planner puts it into the queue, and the queue starts its sync."""
        started, calls = time.time(), sum(vendor.asked for vendor in self.tenant.vendors.values())
        for account in self.tenant.accounts.values():
            self.tenant.admin.sync_now(self.tenant.brand, account, deletions=deletions)
        told = self.plan()
        expect(told, {"queued": len(self.tenant.accounts)}, "what the planner did")
        while left := [each for each in self.checkpoints() if each.begun or each.synced_at < started]:
            failed = [f"{each.crm}: {each.last_error}" for each in left if each.failures]
            expect(failed, [], "failures")
            expect(time.time() - started < SYNC_SECONDS, True, f"done in time: {[each.crm for each in left]}")
            time.sleep(0.2)
        calls = sum(vendor.asked for vendor in self.tenant.vendors.values()) - calls
        size = sum(each.size for each in self.checkpoints())
        return f"{len(self.tenant.accounts)} accounts, {calls} calls to CRMs, {size} contacts in the store"

    def ask(self, body: Body) -> Body:
        """A page."""
        answer = self.tenant.ask("POST", "/v1/contacts/search", body, VERSION)
        expect(answer.status_code, 200, answer.text)
        return answer.json()

    def all(self, body: Body) -> list[Body]:
        """All pages of a search."""
        found, cursor = list[Body](), None
        while True:
            page = self.ask({**body, "limit": 100, **({"cursor": cursor} if cursor else {})})
            found += page["data"]
            cursor = page["meta"]["cursor"]["next"]
            expect(cursor is not None, page["meta"]["cursor"]["has_more"], "has_more")
            if cursor is None:
                expect(len({each["id"] for each in found}), len(found), "each once")
                return found

    def found(self, filters: list[Body], wanted: int) -> str:
        """So many contacts meet these conditions."""
        first = self.ask({"filters": filters, "limit": 2})
        found = self.all({"filters": filters})
        expect(len(found), wanted, "contacts")
        moments = [each["created_at"] or "" for each in found]
        expect(moments, sorted(moments, reverse=True), "newest first")
        return f"200, {len(found)}: {', '.join(each['name'] for each in first['data'])} ..."[:80]

    def walked(self, crm: str) -> str:
        """All that were planted, page by page."""
        filters = [where("integrated_account_id", "eq", self.tenant.accounts[crm])]
        found = self.all({"filters": filters, "order_by": "name", "sort_direction": "asc"})
        held = {each["source"]["remote_id"] for each in found}
        expect(sorted(set(self.planted[crm]) - held), [], "none is missing")
        names = [each["name"].casefold() for each in found]
        expect(names, sorted(names), "by name")
        return f"200, {len(found)} in {-(-len(found) // 100)} pages, from {found[0]['name']} to {found[-1]['name']}"

    def beginning(self) -> str:
        """Names that begin so, of all CRMs."""
        found = self.all({"filters": [where("first_name", "starts_with", "adr")]})
        of = {each["source"]["crm"] for each in found}
        expect({each["first_name"] for each in found}, {"Adriana"}, "first names")
        return f"200, {len(found)} Adrianas at {len(of)} CRMs"

    def owner(self) -> str:
        """Contacts of somebody, by name."""
        filters = [where("owner.name", "eq", USER["name"].upper()), where("source.crm", "eq", "salesforce")]
        found = self.all({"filters": filters})
        expect({each["owner"]["name"] for each in found}, {USER["name"]}, "owners")
        expect(len(found) >= EACH, True, "all of them")
        return f"200, {len(found)} of {USER['name']}"

    def both(self) -> str:
        """An account's and a name."""
        filters = [where("domain", "eq", "pipedrive.example"), where("last_name", "eq", "hopper")]
        found = self.all({"filters": filters})
        expect({each["last_name"] for each in found}, {"Hopper"}, "last names")
        expect(len(found), EACH // len(LAST), "contacts")
        return f"200, {len(found)} of {EACH}"

    def either(self) -> str:
        """A group."""
        group = {"group": "or", "filters": [where("email", "eq", f"grace1@{crm}.example") for crm in ("brevo", "zoho")]}
        found = self.all({"filters": [group]})
        expect({each["source"]["crm"] for each in found}, {"brevo", "zoho"}, "CRMs")
        return f"200, {len(found)}"

    def spoken(self, text: str) -> str:
        """Beginnings of words."""
        found = self.ask({"search_text": text})["data"]
        expect(len(found), 1, "contacts")
        return f"200, {found[0]['name']}, {found[0]['emails'][0]['email']}"

    def one(self) -> str:
        """A contact of a search is the same by its id."""
        [found] = self.ask({"filters": [where("email", "eq", "mary2@insightly.example")]})["data"]
        answer = self.tenant.ask("GET", f"/v1/contacts/{found['id']}", headers=VERSION)
        expect((answer.status_code, answer.json()), (200, found), "the contact")
        return f"200, {found['id']}, {found['source']['url'] or 'no page of its own'}"

    def strange(self) -> str:
        """A cursor is good for the search that it came from."""
        cursor = self.ask({"limit": 1})["meta"]["cursor"]["next"]
        answer = self.tenant.ask("POST", "/v1/contacts/search", {"order_by": "name", "cursor": cursor}, VERSION)
        expect(answer.status_code, 422, answer.text)
        return f"422 {answer.json()['errors'][0]['field']}"

    def difference(self, crm: str) -> str:
        """What was changed, deleted and added is so."""
        filters = [where("domain", "eq", f"{crm}.example")]
        found = {each["source"]["remote_id"]: each for each in self.all({"filters": filters})}
        ids = self.planted[crm]
        expect(len(found), EACH - 2 + 1, "contacts")
        expect([id for id in ids[20:22] if id in found], [], "the deleted ones")
        renamed = {found[id]["last_name"] or found[id]["name"].split()[-1] for id in ids[10:13]}
        expect(renamed, {"Noether"}, "new names")
        added = self.all({"filters": [*filters, where("phone", "eq", f"+44 20 794 {EACH:05d}")]})
        expect(len(added) in (1, 0 if crm in NO_PHONES else 1), True, "the new one")
        return f"{len(found)}: 3 are called Noether, 2 are gone, 1 is new"


NO_PHONES: Mapping[str, str] = {
    "brevo": "its contacts have a number of their own kind, which is not planted",
    "close": "numbers there have to be real ones",
}
"""Where the new contact is not found by its number, with the reason."""
