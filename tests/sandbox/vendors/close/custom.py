"""Custom fields of leads, contacts and opportunities, which are named by their ids.

https://developer.close.com/resources/custom-fields
"""

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.close.fields import (
    Custom,
    Reader,
    cleaned,
    filled,
    flag,
    many,
    new_id,
    one_of,
    refused,
    stamp,
    text,
)
from tests.sandbox.vendors.close.organization import FULL_ACCESS, ORGANIZATION, V1, chosen, missing
from tests.sandbox.vendors.close.pipelines import Pipelines

OF = '<any("lead", "contact", "opportunity"):of>'
SEEDED = (
    ("lead", "Favourite colour", {"type": "text"}),
    ("lead", "Tier", {"type": "choices", "choices": ["Gold", "Silver", "Bronze"]}),
    ("lead", "Channels", {"type": "choices", "choices": ["Fair", "Web", "Phone"], "accepts_multiple_values": True}),
    ("lead", "Contract end", {"type": "date"}),
    ("lead", "Score", {"type": "number"}),
    ("contact", "Favourite colour", {"type": "text"}),
    ("opportunity", "Favourite colour", {"type": "text"}),
)
CUSTOM_FIELD: dict[str, Reader] = {
    "name": filled(text),
    "type": one_of("text", "textarea", "number", "date", "datetime", "choices", "user", "contact"),
    "description": text,
    "choices": many(filled(text)),
    "accepts_multiple_values": flag,
}


class CustomFields(Pipelines):
    def clear(self) -> None:
        super().clear()
        self.custom: dict[str, dict[str, Custom]] = {"lead": {}, "contact": {}, "opportunity": {}}
        for of, name, values in SEEDED:
            self.add_custom(of, {"name": name} | values, new_id("cf_", f"{of} {name}"))

    @route("GET", f"{V1}/custom_field/{OF}/", label="custom_fields/{of}", scope=FULL_ACCESS)
    def list_custom(self, request: Request) -> Answer:
        return self.page(request, [custom.row for custom in self.custom[request.args["of"]].values()], 100)

    @route("POST", f"{V1}/custom_field/{OF}/", label="custom_fields/{of}", scope=FULL_ACCESS)
    def create_custom(self, request: Request) -> Answer:
        values = cleaned(self.body(request), CUSTOM_FIELD, "name", "type")
        if values["type"] == "choices" and not values.get("choices"):
            raise refused({"choices": "This field is required."})
        return Answer(200, self.add_custom(request.args["of"], values).row)

    @route("GET", f"{V1}/custom_field/{OF}/<id>/", label="custom_fields/{of}/{{id}}", scope=FULL_ACCESS)
    def get_custom(self, request: Request) -> Answer:
        return Answer(200, chosen(request, self.custom_field(request).row))

    @route("PUT", f"{V1}/custom_field/{OF}/<id>/", label="custom_fields/{of}/{{id}}", scope=FULL_ACCESS)
    def update_custom(self, request: Request) -> Answer:
        custom = self.custom_field(request)
        custom.row |= cleaned(self.body(request), CUSTOM_FIELD) | {"date_updated": stamp(self.clock())}
        return Answer(200, custom.row)

    @route("DELETE", f"{V1}/custom_field/{OF}/<id>/", label="custom_fields/{of}/{{id}}", scope=FULL_ACCESS)
    def delete_custom(self, request: Request) -> Answer:
        """Its values vanish with it."""
        del self.custom[request.args["of"]][self.custom_field(request).id]
        return Answer(200, {})

    def custom_field(self, request: Request) -> Custom:
        found = self.custom[request.args["of"]].get(request.args["id"])
        if found is None:
            raise missing()
        return found

    def add_custom(self, of: str, values: dict[str, Json], field_id: str | None = None) -> Custom:
        field_id, now = field_id or new_id("cf_"), stamp(self.clock())
        row: dict[str, Json] = {"id": field_id, "description": "", "accepts_multiple_values": False}
        row |= {"organization_id": ORGANIZATION, "created_by": self.me, "updated_by": self.me, "is_shared": False}
        row |= {"date_created": now, "date_updated": now, "editable_with_roles": []} | values
        self.custom[of][field_id] = Custom(field_id, row)
        return self.custom[of][field_id]

    def shown_values(self, of: str, row: dict[str, Json]) -> dict[str, Json]:
        """An empty custom field does not appear."""
        keys = [custom.key for custom in self.custom[of].values()]
        return {key: row[key] for key in keys if row.get(key) not in (None, "", [])}
