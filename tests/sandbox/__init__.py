"""Writable fake CRMs over loopback HTTP, written from the vendors' facts and never from our adapters."""

from tests.sandbox.server import Sandbox

__all__ = ["Sandbox"]
