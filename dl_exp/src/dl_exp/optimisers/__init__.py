"""Optimisers: how to go downhill, and what to remember on the way."""
