"""Rebuild on save, and reload the open page.

The pages are served on this machine only, by a server that adds a line of script to them and lets
their policy allow it: a page in the reports folder never holds it.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import watchfiles

from .page.assets import hashed

CHANGES = "/~changes"
RELOAD = f"new EventSource('{CHANGES}').onmessage = () => location.reload()"
POLICY = re.compile(rb'(?<=<meta http-equiv="Content-Security-Policy" content=")[^"]*')


def watch(
    folders: Iterable[Path],
    rebuild: Callable[[], None],
    *,
    ignore: Path,
    stop: threading.Event | None = None,
) -> None:
    """Call `rebuild` whenever a file below the folders was saved, until interrupted.

    What a build writes, into the folder to ignore, is no reason to build.
    """
    ignored = watchfiles.DefaultFilter(ignore_paths=[ignore.resolve()])
    existing = [path for path in folders if path.exists()]
    for _ in watchfiles.watch(
        *existing, watch_filter=ignored, step=50, debounce=400, stop_event=stop
    ):
        rebuild()


class Preview(ThreadingHTTPServer):
    """Serve a folder on this machine; `changed` reloads every open page."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._news = threading.Condition()
        super().__init__(("127.0.0.1", port), partial(_Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server_port}/"

    def __enter__(self) -> Preview:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def changed(self) -> None:
        """Make every open page reload."""
        with self._news:
            self._news.notify_all()

    def wait(self, seconds: float) -> bool:
        """Wait for a change; False when none came."""
        with self._news:
            return self._news.wait(seconds)


class _Handler(SimpleHTTPRequestHandler):
    server: Preview

    def parse_request(self) -> bool:
        """Refuse requests under another site's name, which that site can point to this machine."""
        if not super().parse_request():
            return False
        if self.headers.get("Host", "").rsplit(":", 1)[0] in ("127.0.0.1", "localhost"):
            return True
        self.send_error(403, "This preview answers to localhost only.")
        return False

    def do_GET(self) -> None:
        if self.path == CHANGES:
            self._tell_changes()
        else:
            super().do_GET()

    def send_head(self) -> Any:
        """Return a stream of the requested file; refuse a link that leads out of the folder."""
        path = self.translate_path(self.path)
        if path.endswith("/"):
            path += "index.html"
        try:
            target = Path(path).resolve(strict=True)
            inside = target.is_relative_to(Path(self.directory).resolve())
            if not inside or not (target.is_file() or target.is_dir()):
                raise FileNotFoundError(path)
            if target.suffix != ".html" or target.is_dir():
                return super().send_head()
            content = _listening(target.read_bytes())
        except (OSError, ValueError, RuntimeError):  # a null byte; a link that leads to itself
            self.send_error(404)
            return None
        self._send_headers("text/html; charset=utf-8", **{"Content-Length": str(len(content))})
        return io.BytesIO(content)

    def list_directory(self, path: Any) -> None:
        """Send an error: the index pages list what there is."""
        self.send_error(404)

    def _tell_changes(self) -> None:
        self._send_headers("text/event-stream")
        with suppress(OSError):  # the page was closed
            while True:
                event = b": still here\n\n"  # a comment, so that a closed page is noticed
                if self.server.wait(15):
                    event = b"data: changed\n\n"
                self.wfile.write(event)
                self.wfile.flush()

    def _send_headers(self, content_type: str, **headers: str) -> None:
        self.send_response(200)
        headers = {"Content-Type": content_type, "Cache-Control": "no-store", **headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal for the build."""


def _listening(page: bytes) -> bytes:
    """Add the line that reloads a page; its policy allows this line beside what it allowed."""
    match = POLICY.search(page)
    if match:
        policy = match[0]
        if b"script-src" not in policy:
            policy += b"; script-src"
        policy = policy.replace(b"script-src", f"script-src {hashed(RELOAD)}".encode(), 1)
        policy += b"; connect-src 'self'"
        page = page[: match.start()] + policy + page[match.end() :]
    return page + f"<script>{RELOAD}</script>".encode()
