"""Lists by page and by token, and what was deleted. An empty list is 204 without a body.

https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
https://www.zoho.com/crm/developer/docs/api/v8/get-deleted-records.html
"""

import secrets
from dataclasses import dataclass

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zoho.org import stamp
from tests.sandbox.vendors.zoho.reading import Reading, cut
from tests.sandbox.vendors.zoho.records import KINDS, MOST, Row, title
from tests.sandbox.vendors.zoho.refusals import bad_parameter, fault, parameter_missing, refused

DAY = 86_400
IN_BIN, REMEMBERED = 60 * DAY, 120 * DAY


@dataclass
class PageToken:
    """Where a list goes on; good for the same parameters only."""

    after: tuple[Json, int]
    bound: dict[str, str]
    page: int
    shown: int
    expires_at: float


class Lists(Reading):
    def clear(self) -> None:
        super().clear()
        self.tokens: dict[str, PageToken] = {}

    @route("GET", KINDS, label="{kind}", scope="ZohoCRM.modules.{kind}.READ")
    def list_records(self, request: Request) -> Answer:
        kind, query = request.args["kind"], request.query
        if "fields" not in query:
            raise parameter_missing("fields")
        names = self.columns(kind, request.many("fields"))
        if "cvid" in query:  # there are no custom views here
            raise bad_parameter("cvid")
        page, size = self.page(request)
        field, direction = query.get("sort_by", "id"), query.get("sort_order", "desc")
        if field not in ("id", "Created_Time", "Modified_Time"):
            raise bad_parameter("sort_by")
        if direction not in ("asc", "desc"):
            raise bad_parameter("sort_order")
        token = self.token_of(request) if "page_token" in query else None
        if token is None and page * size > self.settings["records_by_page"]:
            most = self.settings["records_by_page"]
            what = f"You can only get the first {most} records without using page_token param"
            raise refused(fault("DISCRETE_PAGINATION_LIMIT_EXCEEDED", what, limit=most))
        rows = [] if query.get("converted") == "true" else self.all_live(kind)
        if ids := request.many("ids"):
            if len(ids) > MOST:
                raise refused(fault("LIMIT_EXCEEDED", "limit exceeded", limit=MOST, param_name="ids"))
            rows = [row for row in rows if row["id"] in ids]
        since = self.moment(request, "if-modified-since")
        rows = [row for row in rows if since is None or row["Modified_Time"] > since]
        if since is not None and not rows:
            return Answer(self.settings["unmodified_status"])
        ascending = direction == "asc"
        rows.sort(key=lambda row: place(row, field), reverse=not ascending)
        if token:
            rows = [row for row in rows if (place(row, field) > token.after) is ascending]
            rows = [row for row in rows if place(row, field) != token.after]
        start = 0 if token else (page - 1) * size
        shown, more = rows[start : start + size], len(rows) > start + size
        number = token.page if token else page
        info: dict[str, Json] = {"call": False, "email": False, "per_page": size, "count": len(shown), "page": number}
        info |= {"sort_by": field, "sort_order": direction, "more_records": more, "previous_page_token": None}
        info |= {"next_page_token": None, "page_token_expiry": None}
        if more:
            before = token.shown if token else start
            after = place(shown[-1], field)
            until = self.clock() + DAY
            made = PageToken(after, bound(request), number + 1, before + len(shown), until)
            info |= {"next_page_token": self.keep(made), "page_token_expiry": stamp(until)}
        return Answer(200, {"data": [cut(row, names) for row in shown], "info": info}) if shown else Answer(204)

    def keep(self, token: PageToken) -> str:
        name = secrets.token_hex(32)
        self.tokens[name] = token
        return name

    def token_of(self, request: Request) -> PageToken:
        if "page" in request.query:
            what = "Only one of page and page_token can be given"
            raise refused(fault("AMBIGUITY_DURING_PROCESSING", what, param_name="page_token"))
        token = self.tokens.get(request.query["page_token"])
        if token is None or token.bound != bound(request):
            what = "The page_token given seems to be invalid or input param is added or altered or deleted"
            raise refused(fault("TOKEN_BOUND_DATA_MISMATCH", what, param_name="page_token"))
        if token.expires_at <= self.clock():
            where = {"api_name": "page_token", "json_path": "$.query.page_token"}
            raise refused(fault("EXPIRED_VALUE", "Page token expired", **where))
        most = self.settings["records_by_token"]
        if token.shown >= most:
            what = f"You can only get upto {most} records using page_token param"
            raise refused(fault("PAGINATION_LIMIT_EXCEEDED", what, param_name="page_token"))
        return token

    @route("GET", f"{KINDS}/deleted", label="{kind}/deleted", scope="ZohoCRM.modules.{kind}.READ")
    def list_deleted(self, request: Request) -> Answer:
        """60 days in the recycle bin, then gone for good, of which 120 days long the id is told."""
        kind, (page, size) = request.args["kind"], self.page(request)
        wanted = request.query.get("type", "all")
        if wanted not in ("all", "recycle", "permanent"):
            what = "Please check whether the input values are correct"
            raise refused(fault("PATTERN_NOT_MATCHED", what, param_name="type"))
        since = self.moment(request, "if-modified-since")
        rows: list[Row] = []
        for number, at in sorted(self.bin[kind].items(), key=lambda item: item[1], reverse=True):
            gone = self.clock() - at >= IN_BIN
            if self.clock() - at >= IN_BIN + REMEMBERED or wanted == ("recycle" if gone else "permanent"):
                continue
            row = self.rows[kind][number]
            entry: Row = {"id": number, "deleted_time": stamp(at + (IN_BIN if gone else 0))}
            if gone:
                entry |= {"type": "permanent", "display_name": None, "deleted_by": None, "created_by": None}
            else:
                someone, maker = (
                    {key: one[key] for key in ("name", "id")} for one in (self.someone(), row["Created_By"])
                )
                entry |= {"type": "recycle", "display_name": title(row), "deleted_by": someone, "created_by": maker}
            rows.append(entry)
        rows = [row for row in rows if since is None or row["deleted_time"] > since]
        if since is not None and not rows:
            return Answer(self.settings["unmodified_status"])
        return self.plain_page(rows, page, size)

    @staticmethod
    def plain_page(rows: list[Row], page: int, size: int) -> Answer:
        shown = rows[(page - 1) * size : page * size]
        info = {"per_page": size, "count": len(shown), "page": page, "more_records": len(rows) > page * size}
        return Answer(200, {"data": shown, "info": info}) if shown else Answer(204)


def place(row: Row, field: str) -> tuple[Json, int]:
    """A list is sorted by this; ids tell apart what was changed in the same second."""
    return (row[field] if field != "id" else "", int(row["id"]))


def bound(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query.items() if name not in ("page", "page_token")}
