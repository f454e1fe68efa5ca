"""Distributed: one model trained by several processes."""
