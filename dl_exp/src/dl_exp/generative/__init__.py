"""Generative models: drawing new examples from the distribution of the old ones."""
