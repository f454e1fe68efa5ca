"""The Book on loopback: for this machine, under its own name, and nothing beside the Book."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time

import pytest

from exp_core.book.serve import server


@pytest.fixture
def ask(tmp_path):
    """Asks a server of a folder with one page; below it lies what is nobody's business."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "index.html").write_text("the Book")
    (tmp_path / "secret").write_text("secret")
    serving = server(tmp_path / "book", 0)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()

    def answer(path, host="127.0.0.1"):
        connection = http.client.HTTPConnection(*serving.server_address, timeout=10)
        connection.request("GET", path, headers={"Host": host})
        reply = connection.getresponse()
        return reply.status, reply.read().decode()

    answer.address = serving.server_address
    yield answer
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_it_listens_on_loopback_alone(ask):
    assert ask.address[0] == "127.0.0.1"
    assert ask("/") == (200, "the Book")
    assert ask("/", "localhost:8000")[0] == 200


def test_another_name_gets_nothing(ask):
    assert ask("/", "evil.example")[0] == 403
    assert ask("/", "")[0] == 403


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "//etc/passwd", "/nothing", "/%00"])
def test_no_path_leaves_the_book(ask, path):
    assert ask(path)[0] == 404


def test_a_folder_is_no_page(ask, tmp_path):
    (tmp_path / "book" / "maths_exp").mkdir()
    assert ask("/maths_exp/")[0] == 404


def test_a_port_that_is_taken_is_refused(ask, tmp_path):
    with pytest.raises(OSError):
        server(tmp_path, ask.address[1])
    with pytest.raises(OverflowError):
        server(tmp_path, 2**20)


def test_a_reader_who_leaves_early_is_no_traceback(ask, tmp_path, capfd):
    """A browser drops a request when its reader turns the page."""
    (tmp_path / "book" / "large").write_bytes(bytes(20_000_000))
    reader = socket.create_connection(ask.address)
    reader.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
    reader.recv(10)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # gone at once, unread
    reader.close()
    assert ask("/") == (200, "the Book")
    deadline = time.monotonic() + 120  # patience with a machine that is busy, no promise
    while any("process_request_thread" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert capfd.readouterr().err == ""
