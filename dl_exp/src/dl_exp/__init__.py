"""Deep learning, re-learnt by running it on Apple MLX."""

__version__ = "0.1.0"

TOPICS = (  # in teaching order
    "foundations",
    "optimisers",
    "vision",
    "sequence",
    "generative",
    "efficiency",
    "kernels",
    "distributed",
)
