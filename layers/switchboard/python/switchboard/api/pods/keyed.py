"""Idempotency on the pods surface: a request with a key is done once, and its answer given again."""

from collections.abc import Callable

from switchboard.api import once
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.once import Once
from switchboard.api.reply import Reply
from switchboard.ports import Claim, Deadline, Services


def machine(services: Services, deadline: Deadline) -> Once:
    """What sees to it that work is done once."""
    return Once(services.claims, services.clock, deadline, services.word, services.log)


def run(call: Call, caller: Caller, machine: Once, said: object, work: Callable[[str, Claim | None], Reply]) -> Reply:
    """The reply of the work, or the one that it had before. The work is given the name of the request (empty where it
    has no key), and the claim of an earlier run whose outcome is unknown, if there is one."""
    key = once.key_of(call.headers.get("idempotency-key"))
    if key is None:
        return work("", None)
    # The two paths of one endpoint share their keys.
    where = (caller.admission.owner, call.method, call.path.removeprefix("/api").removesuffix("/new"), "key", key)
    name = f"{caller.brand}#{once.fingerprint(*where)}"
    return machine.run(name, once.fingerprint(said), lambda doubt: work(name, doubt))
