"""From a template to a page; whatever is put in is escaped, unless it is markup that we made."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def rendered(template: str, **fields: object) -> str:
    """The page.  A name that the template uses and nobody gives is empty."""
    return _environment().get_template(template).render(**fields)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("exp_core.book"), autoescape=True, trim_blocks=False, lstrip_blocks=True)
