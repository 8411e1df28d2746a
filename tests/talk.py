"""The other end of a conversation: answers from a list, or from a function of the request."""

from collections.abc import Callable
from dataclasses import dataclass, field

from switchboard.crm.problem import Problem
from switchboard.crm.wire import Request, Response, Talk

type Reply = Response | Problem
"""What comes of a request: an answer, or the sender's own failure, which is thrown into the conversation."""


@dataclass
class Partner:
    """Holds conversations, and remembers what it was asked."""

    answer: Callable[[Request], Reply]
    requests: list[Request] = field(default_factory=list[Request])

    def hold[T](self, talk: Talk[T]) -> T:
        """The result of the conversation; raises the Problem it ends in."""
        try:
            request = next(talk)
            while True:
                self.requests.append(request)
                reply = self.answer(request)
                request = talk.throw(reply) if isinstance(reply, Problem) else talk.send(reply)
        except StopIteration as end:
            return end.value

    @property
    def unsafe(self) -> list[Request]:
        """The requests that may not be repeated."""
        return [request for request in self.requests if not request.safe]


def script(*replies: Reply) -> Partner:
    """A partner that gives these replies in turn, and is asked no more often than that."""
    left = list(replies)

    def answer(request: Request) -> Reply:
        assert left, f"nobody expected {request.method} {request.path}"
        return left.pop(0)

    return Partner(answer)


def ok(body: object = None, status: int = 200) -> Response:
    """An answer with a 2xx."""
    return Response(status, {}, body)
