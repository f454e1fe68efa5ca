"""Training for real: what an experiment says about it (``Training``), and the long run that can be interrupted.

plan         the vocabulary: Training, Engine, DataSet, Target
batches      the order of the data: a function of seed and step
run          the one flow
checkpoint   where a run stands, on disk
log          its curve, a line a step
curve        the curve, drawn
"""

from exp_core.training.batches import epochs, windows
from exp_core.training.plan import DataSet, Engine, State, Target, Training

__all__ = ["DataSet", "Engine", "State", "Target", "Training", "epochs", "windows"]
