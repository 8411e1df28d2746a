"""Lists of v2: at most 500 rows, one field to sort by, and a cursor that holds the place of the last row.

https://pipedrive.readme.io/docs/core-api-concepts-pagination
"""

import base64
import json
from collections.abc import Callable

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.vendors.pipedrive.company import Company, done, schema_failed

MOST = 500

type Row = dict[str, Json]


class Pages(Company):
    def sorted_page(
        self, request: Request, rows: list[Row], *fields: str, show: Callable[[Row], Row] = dict[str, Json]
    ) -> Answer:
        """A page of the rows, by one of the fields: the first unless the request says otherwise."""
        field, direction = request.query.get("sort_by", fields[0]), request.query.get("sort_direction", "asc")
        if field not in fields or direction not in ("asc", "desc"):
            raise schema_failed("sort_by or sort_direction")
        rows.sort(key=lambda row: (row[field], row["id"]), reverse=direction == "desc")
        return self.page(request, rows, field, show)

    def page(self, request: Request, rows: list[Row], field: str, show: Callable[[Row], Row]) -> Answer:
        """The cursor holds the sort value and id of the last row, so that insertions shift nothing.

        A row that changes meanwhile moves all the same. It holds its order too (the specification's example), and is
        refused with another one; the vendor does not say.
        """
        limit, direction = self.limit(request), request.query.get("sort_direction", "asc")
        if "cursor" in request.query:
            try:
                last = json.loads(base64.urlsafe_b64decode(request.query["cursor"]))
                if (last["field"], last["sortDirection"]) != (field, direction):
                    raise schema_failed("cursor: belongs to another order")
                after = (last["fieldValue"], last["id"])
                keyed = [((row[field], row["id"]), row) for row in rows]
                rows = [row for key, row in keyed if (key > after if direction == "asc" else key < after)]
            except (ValueError, KeyError, TypeError) as odd:
                raise schema_failed("cursor: is invalid") from odd
        shown, cursor = rows[:limit], None
        if len(rows) > limit:
            place = {"fieldValue": shown[-1][field], "id": shown[-1]["id"]}
            cursor = closed({"field": field, "sortDirection": direction} | place)
        return done([show(row) for row in shown], additional_data={"next_cursor": cursor})

    def numbered_page(self, request: Request, rows: list[Row]) -> tuple[list[Row], str | None]:
        """Of what has no order to choose: a page and the cursor of the next."""
        start, limit = 0, self.limit(request)
        if "cursor" in request.query:
            try:
                start = int(json.loads(base64.urlsafe_b64decode(request.query["cursor"]))["start"])
            except (ValueError, KeyError, TypeError) as odd:
                raise schema_failed("cursor: is invalid") from odd
        end = start + limit
        return rows[start:end], closed({"start": end}) if len(rows) > end else None

    def limit(self, request: Request) -> int:
        text = request.query.get("limit", "100")
        if not text.isdigit() or not 1 <= int(text) <= MOST:
            raise schema_failed(f"limit: must be between 1 and {MOST}")
        return int(text)

    def known(self, request: Request, names: frozenset[str]) -> None:
        """Refuses a parameter that the path does not have; v2 is documented to be strict about bodies alone."""
        if strange := sorted(request.query.keys() - names):
            raise schema_failed(f'"{strange[0]}" is not allowed')

    def flag(self, request: Request, name: str) -> bool:
        value = request.query.get(name, "false")
        if value not in ("true", "false"):
            raise schema_failed(f"{name}: must be a boolean")
        return value == "true"

    def integers(self, request: Request, name: str, most: int = 1) -> set[int] | None:
        """One number, or up to so many joined by commas; None where there is no such parameter."""
        if name not in request.query:
            return None
        parts = request.query[name].split(",")
        if len(parts) > most or not all(part.isascii() and part.isdigit() for part in parts):
            raise schema_failed(f"{name}: must be {'an integer' if most == 1 else f'at most {most} integers'}")
        return {int(part) for part in parts}


def closed(place: dict[str, Json]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
