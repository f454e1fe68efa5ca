"""Basics: numbers, sums, sequences and transforms."""
