"""The users of an organization, who own its records.

https://www.zoho.com/crm/developer/docs/api/v8/get-users.html
"""

from tests.sandbox.exchange import Answer, Json, Request
from tests.sandbox.fake import route
from tests.sandbox.vendors.zoho.org import BASE, Org
from tests.sandbox.vendors.zoho.refusals import bad_id, bad_parameter

USER_TYPES = {
    "ActiveUsers": ("active",),
    "ActiveConfirmedUsers": ("active",),
    "ConfirmedUsers": ("active", "disabled"),
    "DeactiveUsers": ("disabled",),
    "DeletedUsers": ("deleted",),
    "AllUsers": ("active", "disabled", "deleted"),
}

UNSET = (
    "phone", "mobile", "fax", "website", "street", "city", "zip", "dob", "alias", "signature", "Reporting_To",
    "status_reason__s", "Current_Shift__s", "Next_Shift__s", "Shift_Effective_From__s",
)  # fmt: skip
"""What is null until somebody sets it."""
_TAB = {"font_color": "#FFFFFF", "background": "#222222"}
THEME: Json = {
    "normal_tab": _TAB, "selected_tab": _TAB, "new_background": None, "background": "#F3F0EB", "screen": "fixed",
    "type": "default",
}  # fmt: skip
PAGES: Json = {
    "notes_desc": None, "show_right_panel": None, "bc_view": None, "unpin_recent_item": None, "show_home": False,
    "show_detail_view": True, "show_left_panel": True,
}  # fmt: skip


class Users(Org):
    def clear(self) -> None:
        super().clear()
        self.users: dict[str, dict[str, Json]] = {}
        self.me = self.insert_user({"first_name": "Asha", "last_name": "Admin", "profile": "Administrator"})
        self.insert_user({"first_name": "Sam", "last_name": "Seller"})

    @route("GET", f"{BASE}/users", label="users", scope="ZohoCRM.users.READ")
    def list_users(self, request: Request) -> Answer:
        self.permit("users")
        wanted, page, size = request.query.get("type", "AllUsers"), *self.page(request)
        rows = list(self.users.values())
        if wanted == "CurrentUser":
            rows = [self.users[self.me]]
        elif wanted in ("AdminUsers", "ActiveConfirmedAdmins"):
            rows = [row for row in rows if row["profile"]["name"] == "Administrator"]
        elif wanted in USER_TYPES:
            rows = [row for row in rows if row["status"] in USER_TYPES[wanted]]
        else:
            raise bad_parameter("type")
        shown = rows[(page - 1) * size : page * size]
        more = len(rows) > page * size
        info = {"per_page": size, "count": len(shown), "page": page, "more_records": more}
        return Answer(200, {"users": shown, "info": info}) if shown else Answer(204)

    @route("GET", f"{BASE}/users/<id>", label="users/{{id}}", scope="ZohoCRM.users.READ")
    def get_user(self, request: Request) -> Answer:
        """204 or 400 for a user who is not there, as for a record; a disabled or deleted one still is."""
        self.permit("users")
        row = self.users.get(request.args["id"])
        if not request.args["id"].isdigit() or (row is None and self.settings["missing_record_status"] == 400):
            raise bad_id(1)
        return Answer(200, {"users": [row]}) if row else Answer(204)

    def insert_user(self, fields: dict[str, Json]) -> str:
        user_id = self.new_id()
        first, last = fields.get("first_name"), fields.get("last_name", "User")
        profile, role = fields.pop("profile", "Standard"), fields.pop("role", "Manager")
        now, maker = self.now(), next(iter(self.users), user_id)
        someone = {"name": "Asha Admin", "id": maker}
        self.users[user_id] = (
            dict.fromkeys(UNSET)
            | {
                "id": user_id,
                "full_name": " ".join(part for part in (first, last) if part),
                "first_name": first,
                "last_name": last,
                "email": f"{first}.{last}@example.com".lower(),
                "status": "active",
                "confirm": True,
                "role": named(role, f"{user_id[:7]}000000026005"),
                "profile": named(profile, f"{user_id[:7]}000000026011"),
                "zuid": user_id[-9:],
                "time_zone": "Asia/Kolkata",
                "offset": 19_800_000,
                "language": "en_US",
                "locale": "en_US",
                "country_locale": "US",
                "country": "United States",
                "state": "Texas",
                "decimal_separator": "en_US",
                "date_format": "MM/dd/yyyy",
                "time_format": "hh:mm a",
                "name_format": "Salutation,First Name,Last Name",
                "distance_preference__s": "Miles",
                "default_tab_group": "0",
                "territories": [],
                "theme": THEME,
                "customize_info": PAGES,
                "microsoft": False,
                "sandboxDeveloper": False,
                "personal_account": False,
                "Isonline": False,
                "created_by": someone,
                "Modified_By": someone,
                "created_time": now,
                "Modified_Time": now,
            }
            | fields
        )
        return user_id

    def person(self, user_id: str) -> dict[str, Json]:
        user = self.users[user_id]
        return {"name": user["full_name"], "id": user_id, "email": user["email"]}


def named(value: Json, number: str) -> Json:
    return value if isinstance(value, dict) else {"name": value, "id": number}
