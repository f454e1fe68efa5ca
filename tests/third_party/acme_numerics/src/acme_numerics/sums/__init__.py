"""Sums that acme needs."""
