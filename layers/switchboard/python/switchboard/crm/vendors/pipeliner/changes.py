"""What changed, oldest change first: how Pipeliner's contacts are listed.

Paging https://developers.pipelinersales.com/api-docs/core-api-concepts/pagination
"""

from dataclasses import dataclass
from datetime import datetime

from switchboard.crm.paging import Cursor, Stretch, Token, bodies, second, window
from switchboard.crm.wire import Response, dig, word

CHANGED = "modified"


@dataclass(frozen=True, slots=True)
class Changes(Token):
    """Of what changed, a position is the last moment: how the vendor's cursors are made in the order of a column, and
    how long they live, is told nowhere. Within one second its cursor leads on. Without a moment, the list is in the
    order of ids, which the cursors hold: so they were recorded."""

    def ask(self, since: datetime | None, cursor: Cursor, limit: int) -> dict[str, str]:
        if since is None or self.since is None:
            return Token.ask(self, since, cursor, limit)
        asked = Token.ask(self, since, {"after": cursor["start"]} if "start" in cursor else {}, limit)
        return {**asked, self.since.param: str(cursor.get("from") or self.since.write(since))}

    def read(self, response: Response, since: datetime | None, cursor: Cursor, limit: int) -> Stretch:
        if since is None:
            return Token.read(self, response, since, cursor, limit)
        found, after = bodies(response.body, self.items), word(response.body, self.following)
        more = self.more is None or dig(response.body, self.more) is True
        following = after if more and after != cursor.get("start") else None
        return window(found, following or None, cursor, since=second(since), write=second, at=(CHANGED,))
