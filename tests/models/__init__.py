"""Tests of the unified records."""
