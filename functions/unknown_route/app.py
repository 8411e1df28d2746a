"""$default: every path and method that no other function answers."""

from switchboard.app import unknown_route

handler = unknown_route()
