"""Algorithms of data science and machine learning."""
