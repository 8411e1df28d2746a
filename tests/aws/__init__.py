"""Tests of the ports on AWS."""
