"""Deep learning, re-learnt by running it on Apple MLX."""

__version__ = "0.1.0"

TOPICS = ("foundations", "optimisers", "vision", "kernels")  # in teaching order
