"""Contacts in the order of their changes: one call a page, with columns by their names.

List   https://www.zoho.com/crm/developer/docs/api/v8/get-records.html
Fields https://www.zoho.com/crm/developer/docs/api/v8/field-meta.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from switchboard.crm import wire
from switchboard.crm.catalog import Resource
from switchboard.crm.codecs import utc
from switchboard.crm.dialect import Dialect
from switchboard.crm.paging import OLDEST, Cursor, Stretch, just_before, reached, window
from switchboard.crm.places import Named
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.vendors.zoho.rows import API, SETTINGS, contacts
from switchboard.crm.wire import Talk, dig, many, word

CHANGED = "Modified_Time"
MOST = 200
MOST_IDS = 50  # read at once: the vendor's specification takes 1,024 characters of them
MOST_COLUMNS, MOST_LETTERS = 50, 1024
"""What a list can be asked for, by the vendor's documents and by its specification."""
SINGLE = ("subform", "multiselectlookup", "multiuserlookup")
"""Types of fields that only a read of one record tells: https://www.zoho.com/crm/developer/docs/api/v8/subforms.html"""
NOT_MODIFIED = 304
EXACT = "exact"
"""In a position: the vendor was seen to mean the moment itself, too, when it is asked for what changed since."""


def second(when: datetime) -> str:
    """A moment as queries and headers hold it: whole seconds and an offset."""
    return when.astimezone(UTC).replace(microsecond=0).isoformat()


def columns(resource: Resource, extra: Iterable[str]) -> list[str]:
    """The columns to ask for, as many as can be: those of the table first."""
    asked: list[str] = []
    for name in dict.fromkeys([*(each.partition(".")[0] for each in resource.table.columns), *extra]):
        if len(asked) < MOST_COLUMNS and len(",".join([*asked, name])) <= MOST_LETTERS:
            asked.append(name)
    return asked


def custom(resource: Resource, fields: Iterable[Any]) -> list[str]:
    """Of a module's fields, the custom ones that a list can be asked for. The vendor's own that we have no row for are
    told of like them; they come last, should there be too many."""
    row = resource.table.row("custom_fields")
    place = row.place if row else None
    told = [each for each in fields if each.get("data_type") not in SINGLE]
    told.sort(key=lambda each: each.get("custom_field") is not True)
    names = [name for each in told if (name := word(each, "api_name"))]
    own = [name for name in names if isinstance(place, Named) and place.is_custom(name)]
    return [name for name in columns(resource, own) if name in own]


class Changing(Dialect):
    """A list in the order of changes, which begins anew at the last moment of every page. Its pages end at the 2,000th
    record, and its tokens in a day; and what changes or is deleted meanwhile draws others over the edge of a page. So
    there is but the first page, and a second in which more changed than that is read by a query, in the order of ids.
    """

    def custom(self, resource: Resource) -> Talk[Sequence[str]]:
        """A list tells of a custom field only who names it, and of no more than fifty columns."""
        if resource is not contacts:
            return (yield from super().custom(resource))
        answer = yield from self.ask(wire.get(f"{SETTINGS}/fields", {"module": "Contacts"}))
        return custom(resource, many(answer.body, "fields"))

    def changed(
        self, resource: Resource, since: datetime | None, cursor: Cursor, limit: int, extra: Sequence[str]
    ) -> Talk[Stretch]:
        """A stretch of what changed; of everything, where no moment is given."""
        if "at" in cursor:
            return (yield from self._crowded(resource, cursor, limit, extra))
        edge = utc(cursor.get("from")) or since or OLDEST
        exact, begun = cursor.get(EXACT) is True, second(edge)
        # Whether the moment itself is meant is not told: it is asked for from a second before, until that was seen.
        asked = second(edge if exact else just_before(edge))
        query = {"fields": ",".join(columns(resource, extra)), "sort_by": CHANGED, "sort_order": "asc"}
        request = wire.get(resource.path, {**query, "page": "1", "per_page": str(max(1, min(limit, MOST)))})
        request = replace(request, headers={"if-modified-since": asked} if edge > OLDEST else {})
        response = yield from self.exchange(request)
        if response.status != NOT_MODIFIED:
            self.check(request, response)
        found = [each for each in many(response.body, "data") if word(each, "id")]
        more = dig(response.body, "info.more_records") is True
        fresh, position = window(found, more or None, cursor, since=begun, write=second, at=(CHANGED,))
        if position is None:
            return reached(fresh, CHANGED, edge), None
        if utc(found[-1].get(CHANGED)) is None:
            raise Problem(Kind.CRM_UNAVAILABLE, "The CRM did not tell when a contact was changed.")
        moments = [second(at) for each in found if (at := utc(each.get(CHANGED)))]
        kept = {EXACT: True} if exact or asked in moments else {}
        if position["from"] > begun:
            return reached(fresh, CHANGED, edge), {**position, **kept}
        if position["from"] < begun and not exact:  # the page ended within the second before
            return [], {**cursor, "from": begun, EXACT: True}
        return [], {"at": begun, **kept}

    def _crowded(self, resource: Resource, cursor: Cursor, limit: int, extra: Sequence[str]) -> Talk[Stretch]:
        """A stretch of what changed within one second."""
        at, module = str(cursor["at"]), resource.path.rpartition("/")[2]
        where = f"{CHANGED} = '{at}' and id > '{cursor.get('last', 0)}'"
        ids, more = yield from self.queried("id", module, where, "id asc", limit)
        found = yield from self.by_ids(resource, list(ids), {"fields": ",".join(columns(resource, extra))})
        if more and ids:
            return found, {**cursor, "last": list(ids)[-1]}
        following = second((utc(at) or OLDEST) + timedelta(seconds=1))
        return found, {"from": following} | ({EXACT: True} if cursor.get(EXACT) else {})

    def queried(
        self, names: str, module: str, where: str, order: str, limit: int
    ) -> Talk[tuple[dict[str, datetime | None], bool]]:
        """The next ids that a query tells, each with its moment of change if it is asked for, and whether there are
        more. Only ids and moments get into a query: how a quote is escaped is not known."""
        query = f"select {names} from {module} where {where} order by {order} limit {min(limit, MOST_IDS)}"  # noqa: S608
        told = (yield from self.ask(wire.post(f"{API}/coql", {"select_query": query}, safe=True))).body
        found = {id: utc(each.get(CHANGED)) for each in many(told, "data") if (id := word(each, "id"))}
        return found, dig(told, "info.more_records") is True

    def by_ids(self, resource: Resource, ids: Sequence[str], query: dict[str, str]) -> Talk[list[Any]]:
        """The records of these ids, in this order, but for those that are gone."""
        if not ids:
            return []
        answer = yield from self.ask(wire.get(resource.path, {"ids": ",".join(ids), **query}))
        found = {id: each for each in many(answer.body, "data") if (id := word(each, "id"))}
        return [found[id] for id in ids if id in found]
