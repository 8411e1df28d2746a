"""Tests of talks with CRMs."""
