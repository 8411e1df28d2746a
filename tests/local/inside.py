"""This process as one that runs a function: its environment, its world, and what Lambda would tell it."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from switchboard import app
from switchboard.aws import clients
from switchboard.sender import Sender
from tests.local.stack import Stack


@dataclass(frozen=True)
class Invocation:
    """The context of an invocation that has so many seconds."""

    seconds: float = 25

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function would be stopped."""
        return int(self.seconds * 1000)


@contextmanager
def process(stack: Stack, function: str = "CreateLead") -> Generator[None]:
    """Be that function: its environment is set, and its world is made before the first call, as Lambda does."""
    made = (clients.dynamodb, clients.secretsmanager, clients.sqs)
    caches = (app.services, app.pods, app.contacts, app.queue, app.tokens, *made)
    before = dict(os.environ)
    os.environ.update(stack.environment[function])
    for each in caches:
        each.cache_clear()
    send = app.services().send
    app.tokens()
    try:
        yield
    finally:
        assert isinstance(send, Sender)
        send.close()
        for make in made:
            if make.cache_info().currsize:
                make().close()
        for each in caches:
            each.cache_clear()
        os.environ.clear()
        os.environ.update(before)
