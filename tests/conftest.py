"""Hypothesis draws the same examples in every run, and watches no clock."""

from hypothesis import settings

settings.register_profile("switchboard", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("switchboard")
