"""Kernels: the same operations, written by hand for the device."""
