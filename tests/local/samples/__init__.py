"""What each CRM takes, for the local stack, the demo and the tests: one module per CRM, found by name.

Each says `SAMPLE = Sample(...)`. What a request refers to is planted in the fake CRM first, behind its API.
"""

import importlib
import itertools
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

type Body = dict[str, Any]
type Plant = Callable[..., str]
"""Makes a record in a fake CRM behind its API, and answers its id."""

numbers = itertools.count(1)
"""For what has to be new each time, such as an e-mail address or the name of a pipeline."""


def oauth(granted: Body) -> Body:
    """The credentials of an account that was connected by OAuth 2.0."""
    found = {name: granted[name] for name in ("access_token", "refresh_token")}
    return found | ({"expires_at": int(granted["expires_at"])} if granted.get("expires_at") else {})


def api_key(granted: Body) -> Body:
    """The credentials of an account with an API key alone."""
    return {"api_key": granted["api_key"]}


def named(_: Plant) -> Body:
    """A pipeline of a new name."""
    return {"name": f"Pipeline {next(numbers)}"}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose contact is planted. company, owner: ids at the CRM; made: when the contact was made."""

    first: str
    last: str
    title: str
    email: str
    phone: str
    owner: str
    company: str
    made: datetime

    @property
    def iso(self) -> str:
        """The moment in ISO 8601, which all fakes but Nutshell's take."""
        return self.made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


@dataclass(frozen=True)
class Sample:
    """What one CRM takes.

    lead: a request to create a lead. more: the other fields of a lead that it takes, with values that it accepts.
    refused: fields, each with a value, that reach the CRM and that an ordinary account of it may not write.
    needs: fields that a create is refused without for some other reason than that a row requires them.
    mark: the field of a lead by which one lead is told from another; `told` is the field of the answer that holds it.
    pipeline, stage: likewise; None where the CRM makes none. A stage is given the id of a pipeline if it has to be.
    nouns: what the fake calls a lead, a pipeline and a stage, in its routes and in its store, where not so.
    kind, credentials: the grant of an account, and what of it is kept as its secret.
    origin: the host that the CRM would have given the account, where it gives one.
    settings: what else the account has to say, from the grant.
    unique: why the same lead cannot be made twice; None where it can.
    duplicates: why a create never meets a record in its way here; None where it may.
    refusals: statuses that we answer to a fault of the sandbox, where a CRM is unlike the others, with the reason.
    story: plants the customer of tests/local/story.py, all of it linked together, and answers the ids by our plurals
    (users, companies, contacts, deals, leads), of those objects that the CRM has.
    person: a contact as it is planted. rename: what a colleague changes to give it another name.
    """

    lead: Callable[[Plant], Body]
    more: Callable[[Plant], Body] = lambda _: {}
    refused: Mapping[str, Any] = field(default_factory=dict[str, Any])
    needs: tuple[str, ...] = ()
    mark: str = "title"
    told: str = ""
    pipeline: Callable[[Plant], Body] | None = None
    stage: Callable[[Plant], Body] | None = None
    nouns: Mapping[str, str] = field(default_factory=dict[str, str])
    kind: str = "oauth2"
    credentials: Callable[[Body], Body] = oauth
    origin: str | None = None
    settings: Callable[[Body], dict[str, str]] = lambda _: {}
    unique: str | None = None
    duplicates: str | None = None
    refusals: Mapping[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    story: Callable[[Plant], Mapping[str, str]] = lambda _: {}
    person: Callable[[Person], Body] = lambda _: {}
    rename: Callable[[str, str], Body] = lambda _, __: {}

    def __post_init__(self) -> None:
        object.__setattr__(self, "told", self.told or self.mark)

    def make(self, plural: str) -> Callable[[Plant], Body]:
        """What makes a request to create one of these."""
        made = {"leads": self.lead, "pipelines": self.pipeline, "stages": self.stage}[plural]
        if made is None:
            raise LookupError(f"there is no sample of {plural}")
        return made

    def full(self, plural: str, plant: Plant) -> Body:
        """A request with every field that the CRM has a place for."""
        item = self.make(plural)(plant)
        return {**self.refused, **self.more(plant), **item} if plural == "leads" else item

    def noun(self, plural: str) -> str:
        """What the fake calls one of our resources."""
        return self.nouns.get(plural, plural)


def load() -> dict[str, Sample]:
    """All samples, by the name of the CRM."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").SAMPLE for name in names}
