"""Opportunities: a lead's deals, in cents, without a name of their own. They are planted, read and deleted.

https://developer.close.com/resources/opportunities
"""

from html import escape

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.close.fields import new_id, stamp
from tests.sandbox.vendors.close.leads import Leads
from tests.sandbox.vendors.close.organization import FULL_ACCESS, ORGANIZATION, V1, chosen

YEARLY = {"one_time": 1, "monthly": 12, "annual": 1}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}


class Opportunities(Leads):
    @route("GET", f"{V1}/opportunity/<id>/", label="opportunities/{{id}}", scope=FULL_ACCESS)
    def get_opportunity(self, request: Request) -> Answer:
        return Answer(200, chosen(request, self.opportunity(self.among(self.opportunities, request))))

    @route("DELETE", f"{V1}/opportunity/<id>/", label="opportunities/{{id}}", scope=FULL_ACCESS)
    def delete_opportunity(self, request: Request) -> Answer:
        self.drop_opportunity(self.among(self.opportunities, request))
        return Answer(200, {})

    def drop_opportunity(self, row: dict[str, Json]) -> None:
        del self.opportunities[row["id"]]
        self.touch(row["lead_id"])

    def insert_opportunity(self, values: dict[str, Json]) -> dict[str, Json]:
        """Its status is that named, or the first of its pipeline; without a lead, an untitled one is made for it."""
        now, lead = stamp(self.clock()), values.get("lead_id") or self.insert_lead({})["id"]
        pipeline = values.pop("pipeline_id", None) or next(iter(self.pipelines))
        status = values.get("status_id") or next(iter(self.of_pipeline(pipeline)), None)
        row: dict[str, Json] = {"id": new_id("oppo_"), "organization_id": ORGANIZATION, "integration_links": []}
        row |= {"contact_id": None, "user_id": self.me, "note": "", "confidence": 50, "attachments": []}
        row |= {"value": None, "value_currency": self.described()["currency"], "value_period": "one_time"}
        row |= {"created_by": self.me, "updated_by": self.me, "date_created": now, "date_updated": now}
        row |= {"date_won": None, "date_lost": None} | values | {"lead_id": lead, "status_id": status}
        self.opportunities[row["id"]] = row
        return row

    def opportunity(self, row: dict[str, Json]) -> dict[str, Json]:
        """With the names of all that it refers to; a deal is expected to bring its value times its confidence."""
        stage = self.stages.get(row["status_id"], {})
        pipeline = self.pipelines.get(stage.get("pipeline_id", ""), {})
        lead, contact = (
            self.records[kind].get(row[name]) for kind, name in (("leads", "lead_id"), ("contacts", "contact_id"))
        )
        called = {f"{name}_name": self.called(row[name]) for name in ("created_by", "updated_by")}
        labels = dict.fromkeys(("status_label", "status_display_name"), stage.get("label"))
        return (
            {name: value for name, value in row.items() if not name.startswith("custom.")}
            | called
            | labels
            | {
                "user_name": self.called(row["user_id"]) if row["user_id"] else None,
                "lead_name": self.display_name(lead.row) if lead else None,
                "contact_name": contact.row["name"] if contact else None,
                "note_html": f"<body><p>{escape(row['note'])}</p></body>" if row["note"] else "<body></body>",
                "status_type": stage.get("type"),
                "pipeline_id": pipeline.get("id"),
                "pipeline_name": pipeline.get("name"),
            }
            | sums(row)
            | self.shown_values("opportunity", row)
        )


def sums(row: dict[str, Json]) -> dict[str, Json]:
    """What follows from value, period and confidence; cents are whole."""
    names = ("expected_value", "annualized_value", "annualized_expected_value", "value_formatted")
    if row["value"] is None:
        return dict.fromkeys(names)
    period, whole = row["value_period"], row["value"] % 100 == 0
    amount = f"{SYMBOLS.get(row['value_currency'], '')}{row['value'] / 100:,.{0 if whole else 2}f}"
    yearly = row["value"] * YEARLY[period]
    expected = (each * row["confidence"] // 100 for each in (row["value"], yearly))
    first, second = expected
    formatted = amount if period == "one_time" else f"{amount} {period}"
    return dict(zip(names, (first, yearly, second, formatted), strict=True))
