"""watch.py: saved, rebuilt, reloaded."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from projects import Project, eventually

from stslab.report.watch import Preview

PAGE = """<!doctype html><html lang="en"><head>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>A page</title></head><body><h1>One</h1></body></html>"""


@pytest.fixture
def preview(tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "data.csv").write_text("a\n1\n")
    with Preview(tmp_path) as preview:
        yield preview


def get(address, **headers):
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        return answer.read().decode()


def test_a_served_page_listens_for_changes_and_the_file_does_not(preview, tmp_path):
    assert "EventSource" in get(preview.address + "page.html")
    assert "Content-Security-Policy" not in get(preview.address + "page.html")
    assert (tmp_path / "page.html").read_text() == PAGE
    assert get(preview.address + "data.csv") == "a\n1\n"


def test_a_name_of_another_site_is_refused(preview):
    """A page elsewhere could point a name of its own at this server."""
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        get(preview.address + "page.html", Host="evil.example")
    refused.value.close()


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
    (tmp_path / "page.html").write_text(PAGE.replace("One", "Two"))
    page.wait_for_timeout(300)  # until it listens
    preview.changed()
    page.get_by_role("heading", name="Two").wait_for(timeout=5000)
    page.close()


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
