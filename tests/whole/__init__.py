"""Tests of the whole: syncs and searches over every CRM's dialect and its fake, in one process and without sockets."""
