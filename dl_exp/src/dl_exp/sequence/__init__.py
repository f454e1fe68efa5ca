"""Sequences: attention, language models, recurrent networks."""
