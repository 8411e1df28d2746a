"""Tests of the functions as Lambda loads them."""
