"""Lists of v2: at most 500 rows, one field to sort by, and a cursor that holds the place of the last row.

https://pipedrive.readme.io/docs/core-api-concepts-pagination
"""

import base64
import json

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.vendors.pipedrive.company import Company, done, schema_failed

MOST = 500


class Pages(Company):
    def sorted_page(self, request: Request, rows: list[dict[str, Json]], *fields: str) -> Answer:
        """A page of the rows, by one of the fields: the first unless the request says otherwise."""
        field, direction = request.query.get("sort_by", fields[0]), request.query.get("sort_direction", "asc")
        if field not in fields or direction not in ("asc", "desc"):
            raise schema_failed("sort_by or sort_direction")
        rows.sort(key=lambda row: (row[field], row["id"]), reverse=direction == "desc")
        return self.page(request, rows, field)

    def page(self, request: Request, rows: list[dict[str, Json]], field: str) -> Answer:
        """The cursor holds the sort value and id of the last row, so that insertions shift nothing."""
        limit = self.limit(request)
        if "cursor" in request.query:
            try:
                last = json.loads(base64.urlsafe_b64decode(request.query["cursor"]))
                keys = [[row[field], row["id"]] for row in rows]
                after = [last["fieldValue"], last["id"]]
                ascending = request.query.get("sort_direction", "asc") == "asc"
                rows = [row for row, key in zip(rows, keys, strict=True) if (key > after if ascending else key < after)]
            except (ValueError, KeyError, TypeError) as odd:
                raise schema_failed("cursor: is invalid") from odd
        shown, cursor = rows[:limit], None
        if len(rows) > limit:
            last = {"field": field, "fieldValue": shown[-1][field], "sortDirection": "asc", "id": shown[-1]["id"]}
            cursor = base64.urlsafe_b64encode(json.dumps(last).encode()).decode()
        return done(shown, additional_data={"next_cursor": cursor})

    def limit(self, request: Request) -> int:
        text = request.query.get("limit", "100")
        if not text.isdigit() or not 1 <= int(text) <= MOST:
            raise schema_failed(f"limit: must be between 1 and {MOST}")
        return int(text)
