"""Results as a pandas data frame: the columns of the CSV file."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING

from exp_core.refusal import Missing
from exp_core.report.export import COLUMNS, record
from exp_core.results import Result

if TYPE_CHECKING:
    from pandas import DataFrame


def data_frame(results: Sequence[Result]) -> DataFrame:  # type: ignore[no-any-unimported]
    """A line a row, with a column for each size.  Raises Missing, in one sentence, where there is no pandas."""
    if importlib.util.find_spec("pandas") is None:
        raise Missing("a data frame needs pandas; pip install pandas")
    import pandas

    sizes = list(dict.fromkeys(name for result in results for name in result.sizes))
    lines = [record(result, row) | dict(result.sizes) for result in results for row in result.rows]
    at = COLUMNS.index("sizes")
    return pandas.DataFrame(lines, columns=[*COLUMNS[:at], *sizes, *COLUMNS[at + 1 :]])
