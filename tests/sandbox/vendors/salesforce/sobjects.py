"""Rows of sObjects: create, get, update, upsert, delete, describe, changes, and collections of them.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_basic_info.htm
"""

from datetime import datetime, timedelta
from typing import Any

from tests.sandbox.exchange import Answer, Json, RefusalError, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.salesforce import ids
from tests.sandbox.vendors.salesforce.fields import (
    METADATA,
    RELATIONS,
    SCHEMA,
    Field,
    RejectedError,
    described,
    moment,
    read,
)
from tests.sandbox.vendors.salesforce.org import (
    CURRENCY,
    DATA,
    NO_RESOURCE,
    Org,
    derived,
    duplicates_detected,
    error,
    refused,
)

ROWS = f"{DATA}/sobjects/<kind>"
COLLECTION_CAP = 200
DAY = 86_400
DELETED_DAYS, UPDATED_DAYS = 15, 30
LABELS = {"OpportunityStage": "Opportunity Stage", "LeadStatus": "Lead Status Value"}


class SObjects(Org):
    @route("POST", ROWS, label="{kind}", scope="api")
    def create(self, request: Request) -> Answer:
        sobject = self.sobject(request)
        record_id = self.created(sobject, self.body(request), request)
        location = f"/services/data/v{request.args['version']}/sobjects/{sobject}/{record_id}"
        return Answer(201, {"id": record_id, "success": True, "errors": []}, {"Location": location})

    @route("GET", f"{ROWS}/<id>", label="{kind}/{{id}}", scope="api")
    def get(self, request: Request) -> Answer:
        sobject = self.readable(request)
        row = self.row(sobject, request.args["id"])
        visible = (field.name for key, field in SCHEMA[sobject].items() if key not in self.hidden(sobject))
        names = request.many("fields") or list(visible)
        return Answer(200, self.shown(sobject, row, [self.column(sobject, name) for name in names], request))

    @route("PATCH", f"{ROWS}/<id>", label="{kind}/{{id}}", scope="api")
    def update(self, request: Request) -> Answer:
        sobject = self.sobject(request)
        self.rewrite(sobject, self.row(sobject, request.args["id"]), self.body(request))
        return Answer(204)

    @route("DELETE", f"{ROWS}/<id>", label="{kind}/{{id}}", scope="api")
    def delete(self, request: Request) -> Answer:
        self.bin(self.sobject(request), request.args["id"])
        return Answer(204)

    @route("PATCH", f"{ROWS}/Email/<value>", label="{kind}/{{id}}", scope="api")
    def upsert(self, request: Request) -> Answer:
        """Email is an idLookup field; one match is updated, none creates, several are told."""
        sobject, value = self.sobject(request), request.args["value"]
        matches = [row for row in self.live(sobject) if str(row.get("Email") or "").lower() == value.lower()]
        base = f"/services/data/v{request.args['version']}/sobjects/{sobject}"
        if len(matches) > 1:
            return Answer(300, [f"{base}/{row['Id']}" for row in matches])
        if matches:
            self.rewrite(sobject, matches[0], self.body(request))
            return Answer(200, {"id": matches[0]["Id"], "success": True, "errors": [], "created": False})
        record_id = self.created(sobject, self.body(request) | {"Email": value}, request)
        body = {"id": record_id, "success": True, "errors": [], "created": True}
        return Answer(201, body, {"Location": f"{base}/{record_id}"})

    @route("GET", ROWS, f"{ROWS}/describe", label="describe/{kind}", scope="api")
    def describe(self, request: Request) -> Answer:
        sobject = self.sobject(request)
        facts = {"name": sobject, "label": sobject, "keyPrefix": ids.PREFIXES[sobject], "custom": False}
        facts |= {"queryable": True} | dict.fromkeys(("createable", "updateable", "deletable"), sobject not in METADATA)
        if not request.path.rstrip("/").endswith("describe"):
            return Answer(200, {"objectDescribe": facts, "recentItems": []})
        visible = (field for key, field in SCHEMA[sobject].items() if key not in self.hidden(sobject))
        return Answer(200, facts | {"fields": [described(field) for field in visible]})

    @route("GET", f"{ROWS}/deleted", label="{kind}/deleted", scope="api")
    def list_deleted(self, request: Request) -> Answer:
        rows = [row for row in self.rows[self.readable(request)].values() if row.get("IsDeleted")]
        told = self.between(request, rows, DELETED_DAYS)
        found = [{"id": row["Id"], "deletedDate": row["SystemModstamp"]} for row in told]
        covered = {"earliestDateAvailable": self.days_ago(DELETED_DAYS), "latestDateCovered": self.minute()}
        return Answer(200, {"deletedRecords": found} | covered)

    @route("GET", f"{ROWS}/updated", label="{kind}/updated", scope="api")
    def list_updated(self, request: Request) -> Answer:
        """Created ones, too; only ids."""
        rows = self.between(request, self.live(self.readable(request)), UPDATED_DAYS)
        return Answer(200, {"ids": [row["Id"] for row in rows], "latestDateCovered": self.minute()})

    def between(self, request: Request, rows: list[dict[str, Json]], most_days: int) -> list[dict[str, Json]]:
        """Seconds of start and end are ignored, and a start that is too long ago is refused."""
        try:
            start, end = (
                datetime.fromisoformat(request.query[name].replace(" ", "+")).replace(second=0, microsecond=0)
                for name in ("start", "end")
            )
            if start >= end:
                raise ValueError("start has to be before end")
            if start.timestamp() < self.clock() - most_days * DAY:
                raise ValueError(f"start is more than {most_days} days ago")
        except KeyError as absent:
            raise refused(400, "INVALID_REPLICATION_DATE", f"{absent.args[0]} is missing") from absent
        except (ValueError, TypeError) as odd:
            raise refused(400, "INVALID_REPLICATION_DATE", f"start and end must be datetimes: {odd}") from odd
        until = end + timedelta(minutes=1) if self.settings["end_minute_included"] else end
        return [row for row in rows if start <= datetime.fromisoformat(str(row["SystemModstamp"])) < until]

    def days_ago(self, days: float) -> str:
        return moment(self.clock() - days * DAY)

    def minute(self) -> str:
        return moment(self.clock() // 60 * 60)

    # Collections.

    @route("POST", f"{DATA}/composite/sobjects", label="composite", scope="api")
    def create_collection(self, request: Request) -> Answer:
        return self.collection(request, lambda one, sobject: self.created(sobject, one, request))

    @route("PATCH", f"{DATA}/composite/sobjects", label="composite", scope="api")
    def update_collection(self, request: Request) -> Answer:
        def update(one: dict[str, Json], sobject: str) -> str:
            wanted = str(one.pop("id", None) or one.pop("Id", ""))
            row = self.rows[sobject].get(ids.normal(wanted) or "")
            if row is None or row.get("IsDeleted"):
                raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
            self.rewrite(sobject, row, one)
            return row["Id"]

        return self.collection(request, update)

    @route("DELETE", f"{DATA}/composite/sobjects", label="composite", scope="api")
    def delete_collection(self, request: Request) -> Answer:
        results: list[Json] = []
        for wanted in request.many("ids"):
            sobject = next((name for name, prefix in ids.PREFIXES.items() if wanted.startswith(prefix)), "Lead")
            try:
                self.bin(sobject, wanted)
                results.append({"id": wanted, "success": True, "errors": []})
            except RefusalError as failed:
                results.append(failure(failed))
        return Answer(200, results)

    def collection(self, request: Request, act: Any) -> Answer:
        """200 even when every record failed; with allOrNone nothing of the batch stays."""
        body = self.body(request)
        records = self.objects(body, "records")
        if not records:
            return error(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
        if len(records) > COLLECTION_CAP:
            return error(
                400, "LIMIT_EXCEEDED", f"record limit reached. cannot submit more than {COLLECTION_CAP} records"
            )
        before = {sobject: {key: dict(row) for key, row in rows.items()} for sobject, rows in self.rows.items()}
        results: list[Json] = []
        for record in records:
            fields = dict(record)
            attributes = fields.pop("attributes", None)
            sobject = str(attributes.get("type")) if isinstance(attributes, dict) else ""
            try:
                if sobject not in SCHEMA:
                    raise refused(400, "INVALID_TYPE", "The type attribute is missing or unknown", [])
                results.append({"id": act(fields, sobject), "success": True, "errors": []})
            except RefusalError as failed:
                results.append(failure(failed))
        if body.get("allOrNone") and not all(result["success"] for result in results):
            self.rows = before
            results = [ROLLED_BACK if result["success"] else result for result in results]
        return Answer(200, results)

    # Reading and writing.

    def sobject(self, request: Request) -> str:
        """By its own name alone, in any case; the plurals are words of the control plane."""
        word = request.path.split("/")[5].lower()
        sobject = next((name for name in SCHEMA if name.lower() == word), None)
        if sobject is None:
            raise refused(404, *NO_RESOURCE)
        return sobject

    def readable(self, request: Request) -> str:
        sobject = self.sobject(request)
        if self.forbidden(sobject):
            if self.settings["forbidden_status"] == 404:
                raise refused(404, *NO_RESOURCE)
            raise RefusalError(self.missing_scope("api"))
        return sobject

    def live(self, sobject: str) -> list[dict[str, Json]]:
        return [row for row in self.rows[sobject].values() if not row.get("IsDeleted")]

    def kept(self, sobject: str) -> list[dict[str, Json]]:
        """With the recycle bin, out of which the oldest have fallen."""
        since = self.days_ago(self.settings["bin_days"])  # moments in one form and zone sort as text
        return [row for row in self.rows[sobject].values() if not row.get("IsDeleted") or row["SystemModstamp"] > since]

    def row(self, sobject: str, wanted: str) -> dict[str, Json]:
        record_id = ids.normal(wanted)
        if record_id is None and wanted.isalnum() and len(wanted) == 18:
            raise refused(400, "MALFORMED_ID", f"bad id {wanted}")
        if record_id is None:
            message = f"Provided external ID field does not exist or is not accessible: {wanted}"
            raise refused(404, "NOT_FOUND", message)
        row = self.rows[sobject].get(record_id)
        if row is None:
            raise refused(404, *NO_RESOURCE)
        if row.get("IsDeleted"):
            raise refused(404, "ENTITY_IS_DELETED", "entity is deleted", [])
        return row

    def only_data(self, sobject: str, done: str) -> None:
        """Stages and statuses belong to the Metadata API. The code is known of inserting; here all three have it."""
        if sobject in METADATA:
            message = f"entity type cannot be {done}: {LABELS[sobject]}"
            raise refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])

    def created(self, sobject: str, fields: dict[str, Json], request: Request) -> str:
        self.only_data(sobject, "inserted")
        values = self.values(sobject, fields)
        needed = [field.name for field in SCHEMA[sobject].values() if field.required]
        self.demand(name for name in needed if values.get(name) is None)
        self.look_for_duplicates(sobject, values, request)
        return self.insert(sobject, {name: value for name, value in values.items() if value is not None})

    def rewrite(self, sobject: str, row: dict[str, Json], fields: dict[str, Json]) -> None:
        self.only_data(sobject, "updated")
        if row.get("IsConverted"):
            raise refused(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
        schema = SCHEMA[sobject]
        if late := [schema[key].name for key in map(str.lower, fields) if key in schema and schema[key].create_only]:
            raise not_writeable(late)
        values = self.values(sobject, fields)
        self.demand(name for name, value in values.items() if value is None and schema[name.lower()].required)
        if "StageName" in values:  # the chance and the forecast begin anew with the stage
            row |= dict.fromkeys(("Probability", "ForecastCategoryName"))
        row |= values
        self.touch(derived(sobject, row))
        if sobject == "OpportunityContactRole":
            self.settle_roles(row)

    def bin(self, sobject: str, wanted: str) -> None:
        row = self.row(sobject, wanted)
        self.only_data(sobject, "deleted")
        row["IsDeleted"] = True
        self.touch(row)
        if sobject == "OpportunityContactRole":
            self.settle_roles(row)

    def touch(self, row: dict[str, Json]) -> None:
        row |= dict.fromkeys(("LastModifiedDate", "SystemModstamp"), moment(self.clock()))
        row["LastModifiedById"] = self.user_id

    def demand(self, missing: Any) -> None:
        if names := list(missing):
            message = f"Required fields are missing: [{', '.join(names)}]"
            raise refused(400, "REQUIRED_FIELD_MISSING", message, names)

    def values(self, sobject: str, fields: dict[str, Json]) -> dict[str, Json]:
        known: list[tuple[Field, Json]] = []
        for name, value in fields.items():
            if name == "attributes":
                continue
            known.append((self.known(sobject, name), value))
        hidden = self.hidden(sobject)
        if closed := [field.name for field, _ in known if field.read_only or field.name.lower() in hidden]:
            raise not_writeable(closed)
        try:
            values = {field.name: read(field, value) for field, value in known}
        except RejectedError as bad:
            fields_named = None if bad.code == "JSON_PARSER_ERROR" else bad.fields
            raise refused(400, bad.code, str(bad), fields_named) from bad
        for field, _ in known:
            self.resolve(field, values[field.name])
        return values

    def resolve(self, field: Field, value: Json) -> None:
        if field.references and value is not None:
            targets = [self.rows[sobject].get(value) for sobject in field.references]
            if not any(row and not row.get("IsDeleted") for row in targets):
                raise refused(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])

    def look_for_duplicates(self, sobject: str, values: dict[str, Json], request: Request) -> None:
        """The standard rule matches people by e-mail here; a header may override it."""
        email = str(values.get("Email") or "").lower()
        override = "allowsave=true" in request.headers.get("sforce-duplicate-rule-header", "").lower().replace(" ", "")
        if self.settings["duplicate_rule"] and email and not override:
            for row in self.live(sobject):
                if str(row.get("Email") or "").lower() == email:
                    raise RefusalError(duplicates_detected(sobject, row["Id"], request))

    def known(self, sobject: str, name: str) -> Field:
        field = SCHEMA[sobject].get(name.lower())
        if field is None or (name.lower() == CURRENCY and not self.settings["multi_currency"]):
            raise refused(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")
        return field

    def field(self, sobject: str, name: str) -> Field:
        """A column as it may be read: one that is hidden from the user does not exist."""
        if name.lower() in self.hidden(sobject):
            raise refused(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")
        return self.known(sobject, name)

    def column(self, sobject: str, path: str) -> tuple[str, ...]:
        """`Owner.Name` as canonical steps; one that does not exist is refused."""
        *relations, name = path.split(".")
        steps: list[str] = []
        for relation in relations:
            link = RELATIONS.get((sobject, relation.lower()))
            if link is None or self.forbidden(link.references[0]):
                message = f"Didn't understand relationship '{relation}' in field path."
                raise refused(400, "INVALID_FIELD", message)
            steps.append(link.name.removesuffix("Id"))
            sobject = link.references[0]
        return (*steps, self.field(sobject, name).name)

    def value(self, sobject: str, row: dict[str, Json], steps: tuple[str, ...]) -> Json:
        for step in steps[:-1]:
            link = RELATIONS[sobject, step.lower()]
            sobject = link.references[0]
            parent = self.rows[sobject].get(row[link.name] or "")
            if parent is None:
                return None
            row = parent
        return row[steps[-1]]

    def shown(
        self, sobject: str, row: dict[str, Json], columns: list[tuple[str, ...]], request: Request
    ) -> dict[str, Json]:
        """A record with `attributes`; parents are nested records of their own."""
        base = f"/services/data/v{request.args['version']}/sobjects"
        body: dict[str, Json] = {"attributes": {"type": sobject, "url": f"{base}/{sobject}/{row['Id']}"}}
        nested: dict[str, list[tuple[str, ...]]] = {}
        for steps in columns:
            if len(steps) == 1:
                body[steps[0]] = row[steps[0]]
            else:
                nested.setdefault(steps[0], []).append(steps[1:])
        for step, inner in nested.items():
            link = RELATIONS[sobject, step.lower()]
            parent = self.rows[link.references[0]].get(row[link.name] or "")
            body[step] = self.shown(link.references[0], parent, inner, request) if parent else None
        return body


def not_writeable(names: list[str]) -> RefusalError:
    message = (
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this "
        "field and verify that it is read/write for your profile or permission set."
    )
    return refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, names)


ROLLED_BACK: Json = {
    "success": False,
    "errors": [
        {
            "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "message": (
                "Record rolled back because not all records were valid and the request was using AllOrNone header"
            ),
            "fields": [],
        }
    ],
}


def failure(refusal: RefusalError) -> Json:
    """In collections the code is called statusCode."""
    first = refusal.answer.body[0]
    one = {"statusCode": first["errorCode"], "message": first["message"], "fields": first.get("fields", [])}
    return {"success": False, "errors": [one]}
