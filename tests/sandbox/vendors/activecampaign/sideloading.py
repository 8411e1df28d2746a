"""Side-loading: `include` brings what belongs to the contacts of a page along, in lists beside them.

https://developers.activecampaign.com/reference/sideloading - relations joined by commas, nested ones by a dot
"""

from collections import defaultdict

from tests.sandbox.exchange import Request
from tests.sandbox.vendors.activecampaign.contact_fields import ContactFields
from tests.sandbox.vendors.activecampaign.refusals import bad_request
from tests.sandbox.vendors.activecampaign.tenant import LINKS, Row

NESTED = {
    "fieldValues": {"field": "fields"},
    "accountContacts": {"account": "accounts"},
    "deals": {"owner": "users", "group": "dealGroups", "stage": "dealStages", "account": "accounts"},
    "contactDeals": {"deal": "deals"},
    "contactTags": {"tag": "tags"},
    "contactLists": {"list": "lists"},
    "contactAutomations": {"automation": "automations"},
    "geoIps": {"geoAddress": "geoAddresses"},
}
"""The relations of what belongs to a contact, and the lists that they come in. Tags, lists and automations are not kept
here, so that theirs are empty."""
TO_ONE = "organization"
"""Of which a contact has one or none, and here none: accounts took their place."""


class Sideloading(ContactFields):
    def included(self, request: Request) -> dict[str, set[str]]:
        """Relation -> what is asked for with it. What an unknown relation gets is not documented: 400 here."""
        asked: dict[str, set[str]] = defaultdict(set)
        for path in request.query.get("include", "").split(",") if self.settings["include_is_heeded"] else ():
            relation, _, nested = path.strip().partition(".")
            if not relation:
                continue
            if relation not in LINKS["contacts"] or (nested and nested not in NESTED.get(relation, ())):
                raise bad_request(f"no such relation of contacts: {path}")
            asked[relation] |= {nested} - {""}
        return asked

    def beside(self, contacts: list[Row], asked: dict[str, set[str]]) -> tuple[dict[str, list[Row]], dict[str, Row]]:
        """The lists, and for each contact the ids of what is its own in them."""
        lists: dict[str, list[Row]] = {}
        ids: dict[str, Row] = {row["id"]: {} for row in contacts}
        for relation, nested in asked.items():
            found = self.related(relation, set(ids))
            for contact, mine in ids.items():
                if relation != TO_ONE:
                    mine[relation] = [one["id"] for one in found.get(contact, ())]
            once = {one["id"]: one for contact in ids for one in found.get(contact, ())}
            lists[relation] = list(once.values())
            for name in sorted(nested):
                lists[NESTED[relation][name]] = self.holders(name, NESTED[relation][name], lists[relation])
        return lists, ids

    def related(self, relation: str, contacts: set[str]) -> dict[str, list[Row]]:
        """By contact. Deals are those whose first contact it is, and those that it takes part in."""
        found: dict[str, list[Row]] = defaultdict(list)
        for one in self.rows.get(relation, {}).values():
            if one.get("contact") in contacts:
                found[one["contact"]].append(self.seen(one) if relation == "deals" else one)
        if relation == "deals":
            for one in self.rows["contactDeals"].values():
                deal = self.rows["deals"].get(one["deal"])
                if deal and one["contact"] in contacts and deal["contact"] != one["contact"]:
                    found[one["contact"]].append(self.seen(deal))
        return found

    def holders(self, member: str, noun: str, rows: list[Row]) -> list[Row]:
        if noun in ("accounts", "users"):
            self.permit("companies" if noun == "accounts" else noun)
        wanted = {str(row[member]) for row in rows if row.get(member) is not None}
        kept = [row for record_id, row in self.rows.get(noun, {}).items() if record_id in wanted]
        return [self.seen(row) for row in kept] if noun == "deals" else kept
