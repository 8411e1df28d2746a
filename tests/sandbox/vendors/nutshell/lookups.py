"""Users, sources, tags, outcomes, account types, industries; pipelines ("stagesets") and stages, which are read-only.

https://developers.nutshell.com, the same names in its OpenAPI document
"""

from itertools import count
from typing import Any

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.nutshell.instance import CRM, SITE, Instance, bad_request, enveloped, not_found

PERMISSIONS = (
    "canAccessSetup", "canAccessMarketing", "canBulkEdit", "canExport", "canViewSharedEmails", "canImport",
    "canMergeEntities", "canDeleteEntities", "canAssignEntities", "canAccessBilling", "canManageEmailTemplates",
    "canAccessCrm", "canAccessFullCampaigns", "canUsePeopleIQ", "canUseInbox",
)  # fmt: skip
DEFAULTS: dict[str, dict[str, Json]] = {
    "users": {
        "name": "Somebody",
        "isEnabled": True,
        "hasSetPassword": True,
        "isAdministrator": False,
        "isViewingRestricted": False,
        "isHiddenFromFilters": False,
        "canAccessEmailMarketing": False,
        "emails": [],
        "phonecallerType": None,
    },
    "sources": {"name": "A source", "channel": {"value": 0, "display": "Channel 0"}, "deletedTime": None},
    "tags": {"name": "a tag", "tagType": "leads", "count": 0, "colorType": "COLOR_ORANGE", "deletedTime": None},
    "outcomes": {"name": "Won", "status": "won"},
    "accountTypes": {"name": "Customer"},
    "industries": {"name": "Software"},
    "stagesets": {"name": "Sales", "default": False, "canAccess": True, "status": 1},
    "stages": {"name": "A stage", "description": "", "position": 1, "numSteps": 1, "canAdvanceStage": True},
}
STAGES = ("Prospecting", "Qualifying", "Proposing", "Closing")
CHANNELS = range(9)


class Lookups(Instance):
    def clear(self) -> None:
        super().clear()
        self.lookups: dict[str, dict[str, dict[str, Json]]] = {kind: {} for kind in DEFAULTS}
        self.lookup_numbers = {kind: count(101 if kind == "stages" else 1) for kind in DEFAULTS}
        self.look_up("users", {"name": "Nora Admin", "emails": ["nora@example.com"], "isAdministrator": True})
        self.look_up("users", {"name": "Sam Seller", "emails": ["sam@example.com"]})
        self.look_up("sources", {"name": "Google", "channel": self.channel(1)})
        self.look_up("sources", {"name": "Trade fair"})
        self.look_up("tags", {"name": "Enterprise"})
        for name, status in (("Won", "won"), ("Too expensive", "lost"), ("Entered twice", "cancelled")):
            self.look_up("outcomes", {"name": name, "status": status})
        self.look_up("accountTypes", {})
        self.look_up("industries", {})
        self.look_up("stagesets", {"default": True})
        for position, name in enumerate(STAGES, start=1):
            self.look_up("stages", {"name": name, "position": position, "links": {"stageset": "1-stagesets"}})

    def look_up(self, kind: str, fields: dict[str, Json]) -> dict[str, Json]:
        """Stores a row of a look-up table."""
        row_id = f"{next(self.lookup_numbers[kind])}-{kind}"
        row = {"id": row_id, "type": kind} | DEFAULTS[kind] | fields
        if kind in ("users", "sources", "tags", "accountTypes", "industries"):
            row |= {"modifiedTime": int(self.clock())}
        if kind in ("sources", "tags"):
            row |= {"href": f"{SITE}/rest/{kind}/{row_id}"}
        if kind == "stages":
            row = {"links": {"stageset": "1-stagesets"}} | row
        if kind == "users":
            rights = {right: right in ("canAccessCrm", "canDeleteEntities") for right in PERMISSIONS}
            words = str(row["name"]).split()
            row |= {"firstName": words[0], "permissions": rights, "initials": "".join(word[0] for word in words[:2])}
            row |= {"avatarUrl": f"{SITE}/avatar/users/{row_id.partition('-')[0]}"}
        self.lookups[kind][row_id] = row
        return row

    @staticmethod
    def channel(value: int) -> dict[str, Json]:
        """Only one of the nine is named in the document."""
        return {"value": value, "display": "Organic search" if value == 1 else f"Channel {value}"}

    def listed(self, kind: str, rows: list[Any], key: str | None = None, **meta: Json) -> Answer:
        if self.settings["bare_arrays"]:
            return Answer(200, rows)
        return enveloped(key or kind, rows, **meta)

    # Users.

    def user_of(self, email: str) -> str | None:
        users = self.lookups["users"].values()
        return next((user["id"] for user in users if user["isEnabled"] and email in user["emails"]), None)

    def grant_facts(self) -> dict[str, str]:
        """The user name of HTTP Basic."""
        return {"username": "nora@example.com"}

    @route("GET", "/rest/users", label="users")
    def list_users(self, request: Request) -> Answer:
        rows = list(self.lookups["users"].values())
        return enveloped("users", rows, total=len(rows))

    @route("GET", "/rest/users/<id>", label="users/{{id}}")
    def get_user(self, request: Request) -> Answer:
        return enveloped("users", [self.lookup(request, "users")])

    def lookup(self, request: Request, kind: str) -> dict[str, Json]:
        wanted = request.args["id"]
        if self.settings["plain_ids"] and wanted.isdigit():
            wanted = f"{wanted}-{kind}"
        row = self.lookups[kind].get(wanted)
        if row is None:
            raise not_found()
        return row

    # What can only be listed.

    @route("GET", "/rest/outcomes", label="outcomes", scope=CRM)
    def list_outcomes(self, request: Request) -> Answer:
        return enveloped("outcomes", list(self.lookups["outcomes"].values()))

    @route("GET", "/rest/outcomes/<id>", label="outcomes/{{id}}", scope=CRM)
    def get_outcome(self, request: Request) -> Answer:
        return enveloped("outcomes", [self.lookup(request, "outcomes")])

    @route("GET", '/rest/<any("accounttypes", "industries"):kind>', label="{kind}", scope=CRM)
    def list_table(self, request: Request) -> Answer:
        return self.listed(request.args["kind"], list(self.lookups[request.args["kind"]].values()))

    @route("GET", "/rest/stagesets", label="stagesets", scope=CRM)
    def list_stagesets(self, request: Request) -> Answer:
        """Drafts and retired ones too; one alone cannot be asked for, and nothing here can be changed."""
        key = str(self.settings["stagesets_key"])
        return self.listed("stagesets", list(self.lookups["stagesets"].values()), key)

    @route("GET", "/rest/stages", label="stages", scope=CRM)
    def list_stages(self, request: Request) -> Answer:
        """Those of all pipelines; there is no filter."""
        return self.listed("stages", list(self.lookups["stages"].values()))

    def stages_of(self, stageset_id: str) -> list[dict[str, Json]]:
        rows = [row for row in self.lookups["stages"].values() if row["links"]["stageset"] == stageset_id]
        return sorted(rows, key=lambda row: row["position"])

    # Sources and tags.

    @route("GET", '/rest/<any("sources", "tags"):kind>', label="{kind}", scope=CRM)
    def list_named(self, request: Request) -> Answer:
        kind, wanted = request.args["kind"], request.query.get("q", "").lower()
        rows = [row for row in self.lookups[kind].values() if row["deletedTime"] is None]
        if kind == "tags" and "filter[tagType]" in request.query:
            rows = [row for row in rows if row["tagType"] == request.query["filter[tagType]"]]
        return enveloped(kind, [row for row in rows if wanted in row["name"].lower()])

    @route("POST", "/rest/sources", label="sources", scope=CRM)
    def create_source(self, request: Request) -> Answer:
        """A second source of the same name is a second source."""
        self.wants_json(request)
        body = self.one(request, "sources")
        name, channel = body.get("name"), body.get("channel", 0)
        if not isinstance(name, str) or not name:
            raise bad_request("sources", "Invalid value", "name is required", "name")
        if isinstance(channel, bool) or channel not in CHANNELS:
            raise bad_request("sources", "Invalid value", "channel must be 0 to 8", "channel")
        if (odd := sorted(body.keys() - {"name", "channel"})) and not self.settings["drops_unknown_fields"]:
            raise bad_request("sources", "Invalid value", "is not an attribute that can be written", odd[0])
        return enveloped("sources", [self.look_up("sources", {"name": name, "channel": self.channel(channel)})], 201)

    @route("DELETE", "/rest/sources/<id>", label="sources/{{id}}", scope=CRM)
    def delete_source(self, request: Request) -> Answer:
        row = self.lookup(request, "sources")
        if row["deletedTime"] is not None:
            raise not_found()
        row |= {"deletedTime": int(self.clock())}
        return enveloped("sources", [row])

    @route("POST", "/rest/sources/<id>/undelete", label="sources/{{id}}/undelete", scope=CRM)
    def undelete_source(self, request: Request) -> Answer:
        row = self.lookup(request, "sources")
        row |= {"deletedTime": None}
        return enveloped("sources", [row])

    def one(self, request: Request, kind: str) -> dict[str, Json]:
        """The one record that a POST may hold."""
        given = self.body(request).get(kind)
        if not isinstance(given, list) or len(given) != 1 or not isinstance(given[0], dict):
            raise bad_request(kind, f"You may only create one {kind} resource per request.")
        return given[0]

    # The control plane.

    def plant(self, noun: str, fields: dict[str, Json]) -> str | int:
        if noun not in self.lookups:
            raise LookupError(f"Nutshell has no {noun} here")
        return self.look_up(noun, fields)["id"]

    def stored(self, noun: str) -> list[Json]:
        if noun not in self.lookups:
            raise LookupError(f"Nutshell has no {noun} here")
        return list(self.lookups[noun].values())
