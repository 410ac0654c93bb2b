"""watch.py: saved, rebuilt, reloaded."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import page_fixtures as fixtures
import pytest
from conftest import READY
from projects import Project, eventually

from stslab.report.page.exporter import StslabExporter
from stslab.report.watch import Preview

pytestmark = pytest.mark.thorough

PAGE = """<!doctype html><html lang="en"><head>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>A page</title></head><body><h1>One</h1></body></html>"""


@pytest.fixture
def preview(tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "page.html").write_text(PAGE)
    (tmp_path / "reports" / "index.html").write_text(PAGE)
    (tmp_path / "reports" / "data.csv").write_text("a\n1\n")
    (tmp_path / "secret.html").write_text("<title>secret</title>")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "index.html").write_text("<title>secret</title>")
    with Preview(tmp_path / "reports") as preview:
        yield preview


def get(address, **headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        return answer.read().decode()


def test_a_served_page_listens_for_changes_and_the_file_does_not(preview, tmp_path):
    for name in ("page.html", ""):
        assert "EventSource" in get(preview.address + name)
    assert (tmp_path / "reports" / "page.html").read_text() == PAGE
    assert get(preview.address + "data.csv") == "a\n1\n"


def status(address, method="GET", **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, None, headers, method=method)):
            return 200
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_name_of_another_site_is_refused(preview, method):
    """A page elsewhere could point a name of its own at this server."""
    for path in ("page.html", "data.csv", "", "gone", "~changes"):
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.:1", ""):
            assert status(preview.address + path, method, Host=host) == 403


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_only_what_lies_in_the_folder_is_served(preview, tmp_path, method, capfd):
    """No link leads out of it, nothing is listed, and a path that is none is not found quietly."""
    reports = tmp_path / "reports"
    for name, target in {
        "linked.html": "../secret.html",
        "linked": "../elsewhere",
        "gone.html": "nowhere",
        "loop.html": "loop.html",
    }.items():
        (reports / name).symlink_to(target)
    (reports / "folder").mkdir()
    (reports / "folder" / "index.html").symlink_to("../../secret.html")
    (reports / "empty").mkdir()
    (reports / "a.html").mkdir()
    (reports / "inner" / "index.html").mkdir(parents=True)
    (reports / "inside.html").symlink_to("page.html")
    os.mkfifo(reports / "pipe.html")
    for path in (
        "linked.html", "linked/", "linked/index.html", "gone.html", "loop.html", "pipe.html",
        "folder/", "folder/index.html", "empty/", "a.html/", "inner/", "a%00b.html", "%00",
        "a" * 300, "../secret.html", "..%2fsecret.html", "page.html/", "%ff%fe.html",
    ):  # fmt: skip
        assert (path, status(preview.address + path, method)) == (path, 404)
    (reports / "a.html" / "index.html").write_text(PAGE)
    for path in ("", "page.html", "page.html?a#b", "inside.html", "data.csv", "a.html"):
        assert (path, status(preview.address + path, method)) == (path, 200)
    assert capfd.readouterr() == ("", "")


def test_a_folder_without_its_slash_is_found(preview, tmp_path):
    """So that its page's own links lead on."""
    (tmp_path / "reports" / "mini").mkdir()
    (tmp_path / "reports" / "mini" / "index.html").write_text(PAGE)
    with urllib.request.urlopen(preview.address + "mini") as answer:
        assert answer.url.endswith("/mini/")
        assert "EventSource" in answer.read().decode()


def test_open_pages_hear_of_a_change(preview):
    heard = []

    def listen():
        with urllib.request.urlopen(preview.address + "~changes") as stream:
            heard.append(stream.readline())

    listener = threading.Thread(target=listen)
    listener.start()
    for _ in range(100):
        preview.changed()
        listener.join(0.05)
        if heard:
            break
    assert heard == [b"data: changed\n"]


@pytest.mark.browser
def test_an_open_page_reloads(preview, tmp_path, chromium):
    page = chromium.new_page()
    page.goto(preview.address + "page.html")
    (tmp_path / "reports" / "page.html").write_text(PAGE.replace("One", "Two"))
    page.wait_for_timeout(300)  # until it listens
    preview.changed()
    page.get_by_role("heading", name="Two").wait_for(timeout=5000)
    page.close()


@pytest.fixture
def listened():
    """A server on this machine, as somebody else's: its address, and what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.browser
def test_a_watched_page_keeps_its_policy(preview, tmp_path, chromium, listened):
    """It may hear of changes and nothing else: no script, picture, style or address of its own."""
    address, asked = listened
    hostile = fixtures.notebook("# Mine", fixtures.code("x", fixtures.figure_bundle()))
    html = StslabExporter().from_notebook_node(hostile)[0]
    crafted = (
        f"<script>fetch('{address}/fetch')</script><img src='{address}/img'>"
        f"<svg><path mask='URL({address}/mask#a)' fill='url({address}/fill#a)' d='M0 0h9v9'/></svg>"
        f"<p style='background:url({address}/style)'>x</p>"
        f"<img src=x onerror=\"new EventSource('{address}/events')\">"
        "<script>window.hit = 1; new EventSource('/~changes')</script>"
    )
    file = tmp_path / "reports" / "mine.html"
    file.write_text(html.replace("</main>", f"{crafted}</main>"), "utf-8")
    page = chromium.new_page()
    page.goto(preview.address + "mine.html")
    page.wait_for_selector(READY)  # its own script runs
    page.wait_for_timeout(300)
    assert page.evaluate("window.hit") is None
    file.write_text(html.replace("Mine", "Yours"), "utf-8")
    preview.changed()
    page.get_by_role("heading", name="Yours").wait_for(timeout=5000)
    page.close()
    assert asked == []


def test_saving_a_notebook_rebuilds_its_page_and_no_other(tmp_path):
    """The command as a person runs it; a broken preset is told and waited out; Ctrl-C ends it."""
    mini = Project(tmp_path)
    mini.notebook("one", ["print('before')"])
    mini.notebook("two", ["print('other')"])
    mini.preset("title: Mini")
    process = mini.start("watch", "mini", stderr=subprocess.DEVNULL)
    try:
        line = process.stdout.readline()
        assert re.search(r"watching; the report is at http://127\.0\.0\.1:\d+/mini/", line)
        page, other = mini.home / "one.html", mini.home / "two.html"
        untouched = other.stat().st_mtime_ns
        mini.preset("title: [half an edit")
        time.sleep(1)
        mini.preset("title: Mini")
        mini.edit("one", "before", "after")
        eventually(lambda: "after" in page.read_text("utf-8"))
        assert other.stat().st_mtime_ns == untouched
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        process.stdout.close()
    mini.assert_sound()


@pytest.mark.parametrize("delay", [0, 0.05, 1])
def test_a_termination_ends_it_whatever_it_is_doing(tmp_path, delay):
    """Between a page's appearance and the end of its build, too."""
    mini = Project(tmp_path)
    mini.notebook("one", ["print('before')"])
    mini.preset("title: Mini")
    process = mini.start("watch", "mini", stderr=subprocess.DEVNULL)
    process.stdout.readline()
    time.sleep(0.5)
    page = mini.home / "one.html"
    mini.edit("one", "before", "after")
    eventually(lambda: "after" in page.read_text("utf-8"))
    time.sleep(delay)
    process.terminate()
    assert process.wait(20) == 143
    process.stdout.close()
    mini.assert_sound()
