"""The Book at this machine's own address: nobody else reaches it, and no other site reads it through a browser."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")


class Handler(SimpleHTTPRequestHandler):
    """Files of the Book, and nothing to those who call this machine by another name (DNS rebinding)."""

    def send_head(self):  # type: ignore[no-untyped-def]  # as its parent: a file of bytes, or None
        """The file that was asked for."""
        if self.headers.get("Host", "").partition(":")[0] not in NAMES:
            self.send_error(HTTPStatus.FORBIDDEN, "the Book is served to this machine alone")
            return None
        try:
            return super().send_head()
        except ValueError:  # a name that no file can have: it holds a zero
            self.send_error(HTTPStatus.NOT_FOUND)
            return None

    def list_directory(self, path):  # type: ignore[no-untyped-def]  # as its parent: a file of bytes, or None
        """A folder without an index has nothing to read."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """A page that was made again is seen at once."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""


class Server(ThreadingHTTPServer):
    """A thread a request."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader who turns the page before this one has come is no fault, and nothing to report."""


def server(folder: Path, port: int) -> Server:
    """A server that listens already, for 0 at a free port.  Raises OSError or OverflowError where it cannot."""
    return Server((LOOPBACK, port), partial(Handler, directory=str(folder)))
