"""Tests of the pure half: what is known about CRMs."""
