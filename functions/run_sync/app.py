"""The queue's: turns at accounts."""

from switchboard.app import run_sync

handler = run_sync()
