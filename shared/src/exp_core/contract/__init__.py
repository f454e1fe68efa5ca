"""The contract: what every experiment promises, as checks that any package can run on its own.

import pytest
from exp_core.contract import checks

@pytest.mark.parametrize("check", checks("your_package"), ids=str)
def test_the_contract(check):
    if missing := check.missing():
        pytest.skip(missing)
    check()
"""

from exp_core.contract.checks import Check, checks

__all__ = ["Check", "checks"]
