"""One resource of a CRM and its fake, with nothing of ours in between but the sender."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from switchboard.app import SystemClock
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.dialect import Draft
from switchboard.crm.problem import Problem
from switchboard.crm.wire import Request, Response, Talk, segment
from switchboard.ports import Deadline
from switchboard.sender import Sender
from tests.local.samples import Body, Sample
from tests.local.tenant import SAMPLES, Vendor


@dataclass
class Partner:
    """A fake CRM and a line to it."""

    crm: CRM
    resource: Resource
    vendor: Vendor
    grant: Body
    send: Sender
    requests: list[Request] = field(default_factory=list[Request])
    bend: Callable[[Response], Response] = lambda response: response

    @property
    def sample(self) -> Sample:
        return SAMPLES[self.crm.name]

    @property
    def verbs(self) -> tuple[str, ...]:
        return self.resource.verbs

    def hold[T](self, talk: Talk[T]) -> T:
        sample, clock = self.sample, SystemClock()
        credentials, settings = sample.credentials(self.grant), sample.settings(self.grant)
        scheme = next(each for each in self.crm.auth.values() if set(each.fields) <= credentials.keys())
        try:
            request = next(talk)
            while True:
                self.requests.append(request)
                path = request.path
                for name, setting in self.crm.settings.items():
                    path = path.replace("{" + name + "}", segment(settings.get(name) or setting.default))
                headers = {**request.headers, **scheme.sign(credentials)}
                signed = replace(request, path=path, headers=headers)
                try:
                    response = self.send(signed, self.vendor.url, Deadline(clock.now() + 10, clock))
                except Problem as problem:
                    request = talk.throw(problem)
                else:
                    request = talk.send(self.bend(response))
        except StopIteration as end:
            return end.value

    def checked(self, item: Body) -> Body:
        """A request as it is after it was checked."""
        return self.resource.table.schema.request.model_validate(item).model_dump(exclude_unset=True)

    def draft(self) -> tuple[Body, Draft]:
        """A request that this CRM takes, and what we would send."""
        item = self.sample.make(self.resource.plural)(self.vendor.plant)
        return item, self.crm.dialect.draft(self.resource, item)

    def create(self) -> str:
        return self.hold(self.crm.dialect.create(self.resource, self.draft()[1])).item["id"]

    def listed(self, since: datetime | None, limit: int) -> list[str]:
        """Ids of all pages; a list that never ends fails."""
        cursor: Mapping[str, Any] | None = None
        found: list[str] = []
        for _ in range(200):
            page = self.hold(self.crm.dialect.list(self.resource, since=since, cursor=cursor, limit=limit))
            found += [answer.item["id"] for answer in page.answers]
            if page.cursor is None:
                return found
            stored = json.dumps(page.cursor)
            assert "://" not in stored, "a cursor holds no URL"
            cursor = json.loads(stored)
        raise AssertionError("the list does not end")

    def problem(self, talk: Talk[Any]) -> Problem:
        with pytest.raises(Problem) as caught:
            self.hold(talk)
        return caught.value
