"""What was measured before: stored runs, what changed between two of them, and when a ratio took a step.

store([run])                    into the SQLite file under the user's data folder (EXP_CORE_DATA names another)
to_read()                       a Database for queries.py
"""

from exp_core.history.database import Database, database_path, to_read
from exp_core.history.errors import HistoryError
from exp_core.history.run import Run
from exp_core.history.store import Stored, store

__all__ = ["Database", "HistoryError", "Run", "Stored", "database_path", "store", "to_read"]
