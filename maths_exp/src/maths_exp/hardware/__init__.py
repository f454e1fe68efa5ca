"""Hardware: what a processor can do, and how to ask for it."""
