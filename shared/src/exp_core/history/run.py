"""A run as it is stored: its result, and when, where and from which sources it came."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from exp_core.results import Result
from exp_core.timing.clock import epoch

if TYPE_CHECKING:
    from exp_core.request import Request


Configuration = tuple[str, str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class Run:
    """One stored run.

    uuid: the same in every history that holds it: what is imported twice is there once.
    created_at: ISO 8601 in UTC, with six decimals.
    sources: a hash of each implementation's source, by its name.
    revision: the git commit of the sources; None outside a checkout.  dirty: whether they differ from that commit.
    key: what the one who stores it wants to find it by; empty if nobody does.
    id: its number in this history, in the order of storing; None before it is stored.
    """

    result: Result
    uuid: str
    created_at: str
    sources: Mapping[str, str] = field(default_factory=dict)
    revision: str | None = None
    dirty: bool | None = None
    key: str = ""
    id: int | None = None

    @classmethod
    def of(cls, request: Request, result: Result, key: str = "") -> Run:
        """The run that this request has just made, in this checkout, now."""
        from exp_core.history.revision import revision_of
        from exp_core.history.source import source_hashes

        state = revision_of(request.entry.path)
        sources = source_hashes(request)
        return cls(result, str(uuid.uuid4()), stamp(epoch()), sources, state.revision, state.dirty, key)

    @property
    def machine(self) -> str:
        """The fingerprint of the machine."""
        return str(self.result.machine.get("fingerprint", ""))

    @property
    def versions(self) -> Mapping[str, object]:
        """The versions of Python and of the packages."""
        found = self.result.machine.get("versions")
        return found if isinstance(found, Mapping) else {}

    @property
    def threads(self) -> int:
        """What every implementation was given."""
        return threads_of(self.result)

    @property
    def configuration(self) -> Configuration:
        """What was run: two runs can be held against each other where this is equal."""
        return configuration_of(self.result)

    def dated(self, created_at: str) -> Run:
        """The same run with another date."""
        return replace(self, created_at=created_at)

    def to_json(self) -> str:
        """One line: what the database holds, and ``history --export`` writes."""
        plain = {
            "uuid": self.uuid,
            "created_at": self.created_at,
            "revision": self.revision,
            "dirty": self.dirty,
            "key": self.key,
            "sources": dict(self.sources),
            "result": self.result.to_dict(),
        }
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, id: int | None = None) -> Run:
        """The inverse of ``to_json``.  Raises ValueError, in one sentence, for anything that is no run."""
        try:
            plain = json.loads(text)
            made = cls(
                result=Result.from_dict(plain["result"]),
                uuid=str(uuid.UUID(plain["uuid"])),
                created_at=normal(plain["created_at"]),
                sources={str(name): str(digest) for name, digest in plain["sources"].items()},
                revision=None if plain["revision"] is None else str(plain["revision"]),
                dirty=None if plain["dirty"] is None else bool(plain["dirty"]),
                key=str(plain["key"]),
                id=id,
            )
            made.to_json()  # a field of a wrong type is found here, and not when somebody reads it
            made.configuration  # noqa: B018
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ValueError(f"this is no run as history --export writes it: {error}") from error
        return made


def configuration_of(result: Result) -> Configuration:
    """Package, experiment, problem, sizes, dtype and threads."""
    sizes = sizes_key(result.sizes)
    return result.package, result.experiment, result.problem, sizes, result.dtype, threads_of(result)


def threads_of(result: Result) -> int:
    """What every implementation was given."""
    return max((row.threads for row in result.rows), default=1)


def sizes_key(sizes: Mapping[str, float]) -> str:
    """Equal sizes are equal texts: names sorted, whole numbers without a fraction."""
    return json.dumps({name: int(size) if size == int(size) else size for name, size in sorted(sizes.items())})


def stamp(seconds: float) -> str:
    """Seconds since 1970 as a date whose text sorts as time does.  Raises ValueError outside the years 1 to 9999."""
    try:
        return _text(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds} s since 1970 is no date") from error


def normal(text: str) -> str:
    """A date in any form of ISO 8601 as ``stamp`` writes it; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return _text(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))


def seconds_of(created_at: str) -> float:
    """The inverse of ``stamp``."""
    return datetime.fromisoformat(created_at).timestamp()


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
