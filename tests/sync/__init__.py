"""Tests of `switchboard.sync`."""
