"""Foundations: the operations that every network is made of."""
