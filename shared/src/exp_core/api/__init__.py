"""The project in Python: what the command line does, as functions that return values.

    import maths_exp
    r = maths_exp.run("qr", rows=512)      a ladder; r is a Result: print it, index it, draw it
    maths_exp.experiments()                what there is

``maths_exp`` and ``dl_exp`` are the faces; another package with experiments of its own has the same by
``Package("its_name")``.
"""

from exp_core.api.how import How
from exp_core.api.interrupted import Interrupted
from exp_core.api.package import Package
from exp_core.refusal import Missing, Refused

__all__ = ["How", "Interrupted", "Missing", "Package", "Refused"]
