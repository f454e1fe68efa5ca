"""``python -m maths_exp`` from a bare checkout, where Python finds this folder and not the package inside it."""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "shared" / "src"), str(ROOT / "maths_exp" / "src")]
sys.modules.pop("maths_exp", None)  # this folder, found as a namespace

try:
    runpy.run_module("maths_exp", run_name="__main__", alter_sys=True)
except ModuleNotFoundError as error:
    install = f"pip install ./shared './maths_exp[all]'  in {ROOT}"
    sys.exit(f"maths_exp is not installed and {error.name} is missing: run  {install}")
