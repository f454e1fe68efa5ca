"""The catalogue and its experiments, for who asks in Python: what is not there is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exp_core.catalogue import CatalogueError, read_catalogue
from exp_core.refusal import Refused

if TYPE_CHECKING:
    from exp_core.catalogue import Catalogue, Entry
    from exp_core.experiment import Experiment


def catalogue_of(command: str) -> Catalogue:
    """What a command offers.  Raises Refused if it contradicts itself."""
    try:
        return read_catalogue(command)
    except CatalogueError as error:
        raise Refused(str(error)) from error


def entry_of(command: str, name: str) -> Entry:
    """The experiment of that name, its dashes forgiven.  Raises Refused with the names that are near."""
    catalogue = catalogue_of(command)
    if (entry := catalogue.entries.get(str(name).replace("-", "_"))) is not None:
        return entry
    near = catalogue.nearest(str(name))
    hint = f"did you mean {' or '.join(near)}?" if near else f"python -m {command} lists them"
    raise Refused(f"no experiment is called {name!r}; {hint}")


def loaded(entry: Entry) -> Experiment:
    """The experiment.  Raises Refused if its file is broken."""
    try:
        return entry.load()
    except CatalogueError as error:
        raise Refused(str(error)) from error
