"""What the schedule starts: looking for accounts that are due, and putting them into the queue."""

from switchboard.ports import Queue, Services
from switchboard.sync import planning

LOOKED = 500
"""So many that are due are taken at once, and no more than `ROUNDS` times that in one run."""
ROUNDS = 10


def schedule(services: Services, queue: Queue) -> int:
    """Put every account that is due into the queue, once; answers how many. Of two planners at a time one takes it."""
    sent = 0
    for _ in range(ROUNDS):
        now = services.clock.now()
        due = services.checkpoints.due(now, LOOKED)
        taken = [
            message.body
            for checkpoint, message, until in planning.plan(due, now)
            if services.checkpoints.postpone(checkpoint, until)
        ]
        queue.send(taken)
        sent += len(taken)
        if len(due) < LOOKED:
            break
    services.log.info("plan", extra={"due": sent})
    return sent
