"""Experiments of our own: each folder is a topic, each file in it an experiment."""
