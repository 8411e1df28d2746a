"""Settings: fields and layouts of a module. A pick list grows by PATCH, whose answer does not tell the option's id.

https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
https://www.zoho.com/crm/developer/docs/api/v8/update-custom-fields.html
https://www.zoho.com/crm/developer/docs/api/v8/layouts-meta.html
"""

from typing import cast

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zoho.fields import FIELDS, MODULES, NONE, STAGES, Field
from tests.sandbox.vendors.zoho.org import BASE
from tests.sandbox.vendors.zoho.refusals import (
    Fault,
    at,
    bad_id,
    fault,
    invalid_module,
    mandatory,
    outcome,
    parameter_missing,
    refused,
    success,
)
from tests.sandbox.vendors.zoho.users import Users

MOST_FIELDS_AT_ONCE = 5
LONGEST_OPTION = 120
MOST_OPTIONS_AT_ONCE = 10
FORECAST_TYPES = ("Open", "Closed Won", "Closed Lost")

type Option = dict[str, Json]


class Metadata(Users):
    def clear(self) -> None:
        super().clear()
        self.layouts = {kind: self.new_id() for kind in FIELDS}
        self.field_ids = {(kind, name): self.new_id() for kind, fields in FIELDS.items() for name in fields}
        self.categories = {name: self.new_id() for name in ("Pipeline", "Closed", "Omitted")}
        self.options: dict[tuple[str, str], list[Option]] = {}
        for kind, fields in FIELDS.items():
            for field in fields.values():
                self.options[kind, field.name] = []
                first = () if field.name == "Stage" or not field.options else (NONE,)
                for option in (*first, *field.options):
                    display, _, actual = option.partition("=")
                    self.add_option(kind, field.name, {"display_value": display, "actual_value": actual or display})
        for option, (_, forecast, category, probability) in zip(self.stages, STAGES, strict=True):
            option |= {"forecast_type": forecast, "forecast_category": self.category(category)}
            option["probability"] = probability

    @property
    def stages(self) -> list[Option]:
        return self.options["deals", "Stage"]

    def category(self, name: str) -> dict[str, Json]:
        return {"name": name, "id": self.categories[name]}

    def add_option(self, kind: str, name: str, values: dict[str, Json]) -> Option:
        options = self.options[kind, name]
        option: Option = {"id": self.new_id(), "sequence_number": len(options) + 1, "colour_code": None, "type": "used"}
        if name == "Stage":
            option |= {"forecast_type": "Open", "forecast_category": self.category("Pipeline"), "probability": 0}
        option |= values
        options.append(option)
        return option

    # Fields.

    @route("GET", f"{BASE}/settings/fields", label="fields", scope="ZohoCRM.settings.fields.READ")
    def list_fields(self, request: Request) -> Answer:
        kind = self.module(request)
        return Answer(200, {"fields": [self.described(kind, field) for field in FIELDS[kind].values()]})

    @route("GET", f"{BASE}/settings/fields/<id>", label="fields/{{id}}", scope="ZohoCRM.settings.fields.READ")
    def get_field(self, request: Request) -> Answer:
        kind = self.module(request)
        return Answer(200, {"fields": [self.described(kind, self.field(kind, request))]})

    @route("PATCH", f"{BASE}/settings/fields", label="fields", scope="ZohoCRM.settings.fields.UPDATE")
    def update_fields(self, request: Request) -> Answer:
        kind = self.module(request)
        by_id = {self.field_ids[kind, name]: field for name, field in FIELDS[kind].items()}
        results: list[dict[str, Json]] = []
        for place, item in enumerate(self.entries(request, "fields", MOST_FIELDS_AT_ONCE)):
            path = f"$.fields[{place}]"
            if "id" not in item:
                results.append(mandatory(path, "id"))
            elif item["id"] not in by_id:
                results.append(fault("INVALID_DATA", "invalid data", **at(path, "id")))
            else:
                results.append(self.update_one_field(kind, by_id[item["id"]], item, path))
        return outcome(results, 200, "fields")

    @route("PATCH", f"{BASE}/settings/fields/<id>", label="fields/{{id}}", scope="ZohoCRM.settings.fields.UPDATE")
    def update_field(self, request: Request) -> Answer:
        kind = self.module(request)
        field = self.field(kind, request)
        [item] = self.entries(request, "fields", 1)
        return outcome([self.update_one_field(kind, field, item, "$.fields[0]")], 200, "fields")

    def update_one_field(self, kind: str, field: Field, item: dict[str, Json], path: str) -> dict[str, Json]:
        """The options of a pick list, and nothing else: other attributes are not told here."""
        unknown = next((name for name in item if name not in ("id", "pick_list_values")), None)
        if unknown or field.type not in ("picklist", "multiselectpicklist"):
            return fault("INVALID_DATA", "invalid data", **at(path, unknown or "pick_list_values"))
        values = item.get("pick_list_values") or []
        if not isinstance(values, list):
            return fault("INVALID_DATA", "invalid data", **at(path, "pick_list_values", expected_data_type="jsonarray"))
        if len(cast("list[Json]", values)) > MOST_OPTIONS_AT_ONCE:
            details = at(path, "pick_list_values", maximum_length=MOST_OPTIONS_AT_ONCE)
            return fault("LIMIT_EXCEEDED", "the options in your request exceed the limit", **details)
        changed = [dict(option) for option in self.options[kind, field.name]]
        added: list[Option] = []
        for place, value in enumerate(cast("list[Json]", values)):
            if problem := self.option_fault(field, value, changed, added, f"{path}.pick_list_values[{place}]"):
                return problem
        self.options[kind, field.name][:] = changed
        for option in added:
            self.add_option(kind, field.name, option)
        return success("field updated", {"id": self.field_ids[kind, field.name]})

    def option_fault(
        self, field: Field, value: Json, options: list[Option], added: list[Option], path: str
    ) -> Fault | None:
        """Adds or changes one option, known by its id; what is left out stays as it is."""
        if not isinstance(value, dict):
            return fault("INVALID_DATA", "invalid data", json_path=path, expected_data_type="jsonobject")
        allowed = {"id", "display_value", "actual_value", "sequence_number", "colour_code", "type"}
        allowed |= {"forecast_category", "forecast_type", "probability"} if field.name == "Stage" else set[str]()
        if unknown := next((name for name in value if name not in allowed), None):
            return fault("INVALID_DATA", "invalid data", **at(path, unknown))
        known = next((option for option in options if option["id"] == value.get("id")), None)
        if "id" in value and known is None:
            return fault("INVALID_DATA", "invalid data", **at(path, "id"))
        others = [option for option in [*options, *added] if option is not known]
        for name in ("display_value", "actual_value"):
            text = value.get(name, known[name] if known else None)
            if not text:
                return mandatory(path, name)
            if not isinstance(text, str):
                return fault("INVALID_DATA", "invalid data", **at(path, name, expected_data_type="text"))
            if len(text) > LONGEST_OPTION:
                return fault("INVALID_DATA", "invalid data", **at(path, name, maximum_length=LONGEST_OPTION))
            if any(option[name].lower() == text.lower() for option in others):
                return fault("DUPLICATE_DATA", "duplicate data", **at(path, name))
        if value.get("forecast_type", "Open") not in FORECAST_TYPES:
            return fault("INVALID_DATA", "invalid data", **at(path, "forecast_type"))
        if "forecast_category" in value:
            wanted = value["forecast_category"]
            names = [
                name for name, number in self.categories.items() if wanted in ({"id": number}, self.category(name))
            ]
            if not names:
                return fault("INVALID_DATA", "invalid data", **at(path, "forecast_category"))
            value = value | {"forecast_category": self.category(names[0])}
        if known:
            known |= value
        else:
            added.append(value)
        return None

    def field(self, kind: str, request: Request) -> Field:
        for name, field in FIELDS[kind].items():
            if self.field_ids[kind, name] == request.args["id"]:
                return field
        raise bad_id(2)

    def described(self, kind: str, field: Field) -> dict[str, Json]:
        writable = not field.read_only
        looked_up = {"api_name": field.label, "module": {"api_name": field.lookup.capitalize()}} if field.lookup else {}
        return {
            "id": self.field_ids[kind, field.name],
            "api_name": field.name,
            "field_label": field.label,
            "display_label": field.label,
            "data_type": "text" if field.type == "tags" else field.type,
            "json_type": field.json_type,
            "length": field.length,
            "system_mandatory": field.mandatory == "system",
            "read_only": field.read_only,
            "field_read_only": field.read_only,
            "custom_field": field.custom,
            "visible": True,
            "type": "used",
            "created_source": "default",
            "unique": {"case_sensitive": False} if field.name in self.settings["unique_fields"].get(kind, []) else {},
            "lookup": looked_up,
            "operation_type": dict.fromkeys(("web_update", "api_create", "web_create", "api_update"), writable),
            "default_value": None,
            "decimal_place": 2 if field.type in ("currency", "double") else None,
            "pick_list_values": self.options[kind, field.name],
        }

    # Layouts.

    @route("GET", f"{BASE}/settings/layouts", label="layouts", scope="ZohoCRM.settings.layouts.READ")
    def list_layouts(self, request: Request) -> Answer:
        return Answer(200, {"layouts": [self.layout(self.module(request))]})

    @route("GET", f"{BASE}/settings/layouts/<id>", label="layouts/{{id}}", scope="ZohoCRM.settings.layouts.READ")
    def get_layout(self, request: Request) -> Answer:
        kind = self.module(request)
        if request.args["id"] != self.layouts[kind]:
            raise bad_id(2)
        return Answer(200, {"layouts": [self.layout(kind)]})

    def layout(self, kind: str) -> dict[str, Json]:
        """What the layout demands shows here alone; the field itself says only what the system demands."""
        fields = [
            self.described(kind, field) | {"required": bool(field.mandatory), "sequence_number": place}
            for place, field in enumerate(FIELDS[kind].values(), start=1)
        ]
        title = f"{kind.capitalize().removesuffix('s')} Information"
        section = {"name": title, "display_label": title, "type": "used", "sequence_number": 1, "fields": fields}
        return {
            "id": self.layouts[kind],
            "name": "Standard",
            "api_name": "Standard__s",
            "display_label": "Standard",
            "status": "active",
            "visible": True,
            "generated_type": "default",
            "sections": [section],
        }

    def module(self, request: Request) -> str:
        name = request.query.get("module")
        if name is None:
            raise parameter_missing("module")
        if name not in MODULES:
            raise refused(invalid_module())
        return MODULES[name]
