"""The schedule's: accounts that are due go into the queue."""

from switchboard.app import plan_syncs

handler = plan_syncs()
