"""Links: how a contact comes to an opportunity, or to a second organisation. Leads have none.

https://api.insightly.com/v3.1/Help#!/Opportunities/GetLinks and its siblings
"""

from itertools import count

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.insightly.fields import KINDS
from tests.sandbox.vendors.insightly.instance import BASE, plain
from tests.sandbox.vendors.insightly.lookups import IDS, Lookups

LINKED = '<any("Contacts", "Organisations", "Opportunities"):kind>'
NOUNS = {kind.one: noun for noun, kind in KINDS.items() if noun != "leads"}
HIDDEN = ("PIPELINE_ID", "STAGE_ID")
"""A lead has a pipeline, but neither the vendor's schema nor a recorded lead shows it."""

type Row = dict[str, Json]


class Links(Lookups):
    def clear(self) -> None:
        super().clear()
        self.links: dict[int, Row] = {}
        self.link_numbers = count(541_200_001)

    def shown(self, noun: str, row: Row) -> Row:
        """A record as it is answered."""
        if noun == "leads":
            return {name: value for name, value in row.items() if name not in HIDDEN}
        return row | {"LINKS": self.links_of(noun, row[IDS[noun]])} if "LINKS" in row else row

    def links_of(self, noun: str, number: int) -> list[Row]:
        mine: list[Row] = []
        for link in self.links.values():
            near, far = (link["OBJECT_NAME"], link["OBJECT_ID"]), (link["LINK_OBJECT_NAME"], link["LINK_OBJECT_ID"])
            me = (KINDS[noun].one, number)
            if near == me:
                mine.append(link)
            elif far == me:
                mine.append(turned(link) if self.settings["links_turned"] else link)
        return mine

    @route("GET", f"{BASE}/{LINKED}/<id>/Links", label="{kind}/{{id}}/links", scope="{kind}:read")
    def list_links(self, request: Request) -> Answer:
        noun, row = request.args["kind"], self.row(request)
        return Answer(200, self.links_of(noun, row[IDS[noun]]))

    @route("POST", f"{BASE}/{LINKED}/<id>/Links", label="{kind}/{{id}}/links", scope="{kind}:edit")
    def add_link(self, request: Request) -> Answer:
        """From the record of the path to the one that the body names."""
        noun, row, body = request.args["kind"], self.row(request), self.body(request)
        target = NOUNS.get(str(body.get("LINK_OBJECT_NAME")))
        if target is None or body.get("LINK_OBJECT_ID") not in self.tables[target]:
            raise self.invalid("Data validation error. LINK_OBJECT_NAME and LINK_OBJECT_ID name no record.")
        ends = {"OBJECT_NAME": KINDS[noun].one, "OBJECT_ID": row[IDS[noun]]}
        return Answer(201, self.links[self.insert_link(body | ends)])

    @route("DELETE", f"{BASE}/{LINKED}/<id>/Links/<link>", label="{kind}/{{id}}/links/{{id}}", scope="{kind}:edit")
    def remove_link(self, request: Request) -> Answer:
        noun, row, wanted = request.args["kind"], self.row(request), request.args["link"]
        if not any(str(link["LINK_ID"]) == wanted for link in self.links_of(noun, row[IDS[noun]])):
            raise RefusalError(plain(404, f"No Link with ID = {wanted}"))
        del self.links[int(wanted)]
        return Answer(202)

    def insert_link(self, fields: Row) -> int:
        number = next(self.link_numbers)
        names = ("OBJECT_NAME", "OBJECT_ID", "LINK_OBJECT_NAME", "LINK_OBJECT_ID", "ROLE", "DETAILS", "RELATIONSHIP_ID")
        self.links[number] = dict.fromkeys(names) | {"IS_FORWARD": True} | fields | {"LINK_ID": number}
        return number

    def unlink(self, noun: str, number: int) -> None:
        """A deleted record is no end of a link any more."""
        for link in self.links_of(noun, number):
            del self.links[link["LINK_ID"]]


def turned(link: Row) -> Row:
    """The same link, seen from its far end."""
    ends = {"OBJECT_NAME": link["LINK_OBJECT_NAME"], "OBJECT_ID": link["LINK_OBJECT_ID"]}
    ends |= {"LINK_OBJECT_NAME": link["OBJECT_NAME"], "LINK_OBJECT_ID": link["OBJECT_ID"]}
    return link | ends | {"IS_FORWARD": not link["IS_FORWARD"]}
