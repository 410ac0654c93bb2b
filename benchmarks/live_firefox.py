"""Compare the page's engine in Firefox and in Chromium, bit by bit.

    python benchmarks/live_firefox.py ../shared/data/stsb      needs both browsers; by hand

Both open the same page from file://. It computes the embeddings of 200 STS Benchmark pairs and the
tokens of hostile strings and of all characters, and hands them to this script as a form.
"""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from live import START, write_page  # noqa: E402
from live_texts import hostile_texts  # noqa: E402

SECONDS = 300
RUN = """
const compute = async ({ texts, hostile, address }) => {
  const { milliseconds } = await START();
  const bits = live.embed(texts).map((each) => [...new Uint32Array(each.buffer)]);
  const tokens = hostile.map((text) => live.tokenizer(text));
  const ids = [];
  for (let n = 0; n < 0x40000; n++) {
    if (n < 0xD800 || n > 0xDFFF) ids.push(live.tokenizer(`x${String.fromCodePoint(n)}y`).ids);
  }
  const form = document.createElement("form");
  form.method = "post";
  form.enctype = "text/plain";
  form.action = address;
  const field = document.createElement("textarea");
  field.name = "result";
  field.value = JSON.stringify({ milliseconds, same: { bits, tokens, ids } });
  form.append(field);
  document.body.append(form);
  form.submit();
};
addEventListener("load", () => compute(TASK));
"""


def result_of(browser: list[str], page: Path, task: dict) -> dict:
    """Open the page in a browser and wait for what it computes."""
    bodies: list[bytes] = []
    arrived = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        given = json.dumps(task | {"address": address}).replace("<", "\\u003c")
        script = RUN.replace("START", f"({START})").replace("TASK", given)
        opened = page.with_name("opened.html")
        opened.write_text(f"{page.read_text('utf-8')}<script>{script}</script>", "utf-8")
        process = subprocess.Popen(
            [*browser, opened.as_uri()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            if not arrived.wait(SECONDS):
                raise SystemExit(f"{browser[0]}: no result within {SECONDS} seconds")
        finally:
            process.terminate()
            process.wait()
            server.shutdown()
    return json.loads(bodies[0].decode().strip().removeprefix("result="))


def main() -> None:
    """Print whether both browsers gave the same bits, for exact and compact weights."""
    lines = (Path(sys.argv[1]) / "sts-test.csv").read_text("utf-8").splitlines()[:200]
    texts = [text for line in lines for text in line.split("\t")[5:7]]
    task = {"texts": texts, "hostile": hostile_texts()}
    chromium, firefox = shutil.which("chromium"), shutil.which("firefox-esr")
    if not chromium or not firefox:
        raise SystemExit("needs Debian's packages chromium and firefox-esr")
    for compact in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            page = write_page(Path(folder), compact=compact)
            profiles = [Path(folder) / name for name in ("chromium", "firefox")]
            for profile in profiles:
                profile.mkdir()
            found = [
                result_of(
                    [chromium, "--headless", "--no-sandbox", f"--user-data-dir={profiles[0]}"],
                    page,
                    task,
                ),
                result_of([firefox, "--headless", "--profile", str(profiles[1])], page, task),
            ]
        same = {part: found[0]["same"][part] == found[1]["same"][part] for part in found[0]["same"]}
        times = [round(each["milliseconds"]) for each in found]
        print(f"{page.stem}: same {same}; ready in {times} ms", flush=True)
        if not all(same.values()):
            raise SystemExit("the browsers differ")


if __name__ == "__main__":
    main()
