"""The door: who is calling, and whether they may."""

from switchboard.api import keys, scopes
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.scopes import Action
from switchboard.ports import Services


def enter(call: Call, services: Services, resource: str, action: Action) -> Caller:
    """The caller, counted and allowed to do this. Raises `invalid-api-key`, `rate-limited` or
    `insufficient-permissions`."""
    caller = known(call, services)
    scopes.permit(caller, resource, action)
    return caller


def known(call: Call, services: Services) -> Caller:
    """The caller, counted and written into the notes of the call."""
    caller = keys.authenticate(call, services.access, services.clock.now())
    call.notes.update(brand=caller.brand, key_id=caller.admission.key_id)
    return caller
