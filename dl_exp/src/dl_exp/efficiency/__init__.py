"""Efficiency: the same network in less memory and time."""
