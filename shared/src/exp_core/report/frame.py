"""Results and curves as pandas data frames: the columns of their CSV files."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from exp_core.refusal import Missing
from exp_core.report.export import COLUMNS, record
from exp_core.results import Result

if TYPE_CHECKING:
    from pandas import DataFrame

    from exp_core.training.log import Line


def data_frame(results: Sequence[Result]) -> DataFrame:  # type: ignore[no-any-unimported]
    """A line a row, with a column for each size.  Raises Missing, in one sentence, where there is no pandas."""
    sizes = list(dict.fromkeys(name for result in results for name in result.sizes))
    lines = [record(result, row) | dict(result.sizes) for result in results for row in result.rows]
    at = COLUMNS.index("sizes")
    return _framed(lines, [*COLUMNS[:at], *sizes, *COLUMNS[at + 1 :]])


def curve_frame(lines: Sequence[Line]) -> DataFrame:  # type: ignore[no-any-unimported]
    """A line a step; figures are NaN where they were not looked at.  Raises Missing where there is no pandas."""
    figures = dict.fromkeys(name for line in lines for name in line.figures)
    return _framed(
        [{"step": line.step, "loss": line.loss, **line.figures} for line in lines], ["step", "loss", *figures]
    )


def _framed(lines: Sequence[Mapping[str, object]], columns: Sequence[str]) -> DataFrame:  # type: ignore[no-any-unimported]
    if importlib.util.find_spec("pandas") is None:
        raise Missing("a data frame needs pandas; pip install pandas")
    import pandas

    return pandas.DataFrame(lines, columns=columns)
