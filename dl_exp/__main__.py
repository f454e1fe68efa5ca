"""``python -m dl_exp`` from a bare checkout, where Python finds this folder and not the package inside it."""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "shared" / "src"), str(ROOT / "dl_exp" / "src")]
sys.modules.pop("dl_exp", None)  # this folder, found as a namespace

try:
    runpy.run_module("dl_exp", run_name="__main__", alter_sys=True)
except ModuleNotFoundError as error:
    install = f"pip install ./shared './dl_exp[all]'  in {ROOT}"
    sys.exit(f"dl_exp is not installed and {error.name} is missing: run  {install}")
