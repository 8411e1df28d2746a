"""The walks of a sync, as states: which comes next, what it asks, and where it stands after each page. Pure.

    deletions   the CRM's list of what was deleted, where it has one
    changes     what changed since the anchor; everything, the first time
    sweep       all there is, with a note of every id
    compare     contacts that no sweep has met are asked for one by one

A walk of changes begins at the anchor, less the overlap that lag and clocks call for. When it has come to its end, the
anchor moves to the newest change that it has met, but not beyond the moment at which it began: what changed while it
ran may have been passed by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.codecs import rfc3339, utc
from switchboard.crm.dialect import Page
from switchboard.crm.paging import OLDEST
from switchboard.ports import Checkpoint
from switchboard.sync import planning

SKEW_SECONDS = 120
"""A CRM's clock may differ from ours by this, and a change may take so long to be seen."""
PAGE = 2_000
"""Records that are asked for at once, where a CRM gives as many."""
WALK_SECONDS = 5 * 24 * 3600
"""A walk that comes to no end in so long begins anew: soon nobody would know any more what it has met."""
DESCRIBED_SECONDS = 24 * 3600
"""So often custom columns and owners are asked for anew."""


def overlap(crm: CRM) -> timedelta:
    """What is read again at the beginning of a walk."""
    return timedelta(seconds=crm.dialect.lag + SKEW_SECONDS)


def begun(checkpoint: Checkpoint, crm: CRM, resource: Resource, now: float) -> Checkpoint:
    """The checkpoint with a walk under way: the one that was, or the next that is due."""
    if checkpoint.begun and now - checkpoint.begun < WALK_SECONDS:
        return checkpoint
    return _begin(replace(checkpoint, stage="deletions"), crm, resource, now)


def _begin(checkpoint: Checkpoint, crm: CRM, resource: Resource, now: float) -> Checkpoint:
    """The first walk from this stage on that is due; none under way if all are done."""
    fresh = replace(checkpoint, begun=now, position=None, newest="", since="", pages=0, listed="")
    stage = checkpoint.stage
    if stage == "deletions":
        if resource.deletions == "listed" and checkpoint.synced_at and _due(checkpoint.deleted_at, now):
            # Of what was deleted while the list was refused, only the last sweep knows.
            last = checkpoint.swept_at if checkpoint.untold else checkpoint.deleted_at
            since = moment(min(last, checkpoint.deleted_at)) - overlap(crm)
            return replace(fresh, since=rfc3339(since))
        stage = "changes"
    if stage == "changes":
        if resource.changes or not checkpoint.synced_at:
            if not checkpoint.synced_at:
                # Should it begin anew, what it has stored by then and what is deleted before may not be forgotten.
                fresh = replace(fresh, deleted_at=checkpoint.deleted_at or now, swept_at=checkpoint.swept_at or now)
            since = utc(checkpoint.anchor)
            start = since - overlap(crm) if since else OLDEST
            return replace(fresh, stage="changes", since=rfc3339(start) if resource.changes else "")
        stage = "sweep"
    if stage == "sweep":
        every = planning.sweep_interval(resource, untold=checkpoint.untold) if resource.changes else 0
        if now - checkpoint.swept_at >= every:
            return replace(fresh, stage="sweep")
    return idle(checkpoint)


def idle(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with no walk under way."""
    return replace(checkpoint, stage="changes", begun=0, position=None, newest="", since="", pages=0, listed="")


def _due(when: float, now: float) -> bool:
    return now - when >= planning.DELETIONS_SECONDS


def stepped(checkpoint: Checkpoint, cursor: Mapping[str, Any] | None, newest: str = "") -> Checkpoint:
    """The checkpoint after a page that is stored."""
    furthest = max(checkpoint.newest, newest, key=_ordered)
    return replace(checkpoint, position=cursor, newest=furthest, pages=checkpoint.pages + 1)


def ended(checkpoint: Checkpoint, crm: CRM, resource: Resource, now: float, indexed: Sequence[str] = ()) -> Checkpoint:
    """The checkpoint after the last page of a walk: what is known now, and the next walk under way, if one is due.

    indexed: custom fields that now have an index; of all contacts once all were looked at.
    """
    start, first = checkpoint.begun, not checkpoint.synced_at
    fine = replace(checkpoint, failures=0, last_error="")
    match checkpoint.stage:
        case "deletions":
            return _begin(replace(fine, deleted_at=start, stage="changes"), crm, resource, now)
        case "changes":
            done = replace(fine, anchor=_anchor(checkpoint, resource), synced_at=start, stage="sweep")
            if first:  # it has met everything that there was when it began
                swept, deleted = done.swept_at or start, done.deleted_at or start  # a walk anew compares nothing
                done = replace(done, swept_at=swept, deleted_at=deleted, indexed=tuple(indexed))
                if not resource.changes:  # and nothing is to be listed a second time
                    return idle(done)
            return _begin(done, crm, resource, now)
        case "sweep":
            return replace(fine, stage="compare", position={})
        case _:
            synced = start if not resource.changes else checkpoint.synced_at
            return idle(replace(fine, swept_at=start, synced_at=synced, indexed=tuple(indexed)))


def _anchor(checkpoint: Checkpoint, resource: Resource) -> str:
    """Everything that changed before this moment is stored. Where no record says when it changed, only the clock can
    tell: it is the moment at which the walk began."""
    untold = resource.changes and resource.table.row("updated_at") is None
    newest, before = moment(checkpoint.begun) if untold else utc(checkpoint.newest), utc(checkpoint.anchor)
    if newest is None:
        return checkpoint.anchor
    reached = min(newest, moment(checkpoint.begun))
    return rfc3339(max(reached, before) if before else reached)


def newest(page: Page) -> str:
    """The newest change on a page."""
    return max((str(answer.item.get("updated_at") or "") for answer in page.answers), key=_ordered, default="")


def _ordered(told: str) -> datetime:
    return utc(told) or OLDEST


def moment(seconds: float) -> datetime:
    """A moment from epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)
