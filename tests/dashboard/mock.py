#!/usr/bin/env python3
"""A scheduler that is none: serves the dashboard with made-up states, one scene at a path.

`mock.py [--port N]` prints `http://127.0.0.1:PORT`; the scenes are at `/SCENE/`, and their token
is TOKEN. It has the headers of the scheduler, and is not a test of it.
"""

import argparse
import json
import math
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "crates/drystone-cluster/src/dashboard"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
FILES = {path.name: path for path in PAGE.iterdir() if path.suffix in TYPES}
TOKEN = "0123456789abcdef0123456789abcdef"
# As in dashboard.rs.
REFUSED = "the address with the token is what the scheduler printed when it started, and what `drystone status` prints"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HOSTILE = "<img src=x onerror=alert(1)>"
STARTED = time.monotonic()


def worker(index, **changed):
    return {
        "name": f"w{index}", "host": "127.0.0.1", "port": 40001 + index, "slots": 2, "busy": 2,
        "silent_s": 0.2 + 0.3 * index, "pid": 4100 + index, "version": "0.1.0",
        "resident_bytes": 1_312_000_000 + 41_000_000 * index, "cache_bytes": 544_000_000 * (index + 1),
        "cache_budget": 4_000_000_000, "cached_blocks": 17 * (index + 1), "blocks_mapped": 340 * (index + 1),
        "blocks_read": 17 * (index + 1),
    } | changed


def passes(n_iterations):
    made = [{"job": "kmeans.scan/1", "seconds": 1.25, "blocks_read": 50}]
    made += [{"job": "kmeans.round.f64/1", "seconds": 1.6 + 0.21 * k, "blocks_read": 0} for k in range(6)]
    made += [
        {"job": "kmeans.lloyd.f64/2", "seconds": 0.35 + 0.9 * math.exp(-k / 4) + 0.03 * (k % 3), "blocks_read": 9 if k == 5 else 0}
        for k in range(n_iterations)
    ]
    return made


def costs(n, low=1.98e8, drop=4.1e7):
    return [low + drop * (0.75 * math.exp(-k / 2.2) + 0.25 * math.exp(-k / 9)) for k in range(n)]


def fit(**changed):
    return {
        "id": "a1b2c3", "driver": "127.0.0.1:5120", "estimator": "kmeans",
        "data": "ChunkedDataset (10000000, 20) f64, 50 blocks", "status": "running", "elapsed_s": 28.4,
        "pass": 31, "job": "kmeans.lloyd.f64/2", "blocks_done": 30, "n_blocks": 50, "rows": 10_000_000,
        "passes": passes(23), "costs": costs(23), "notes": [], "error": None,
    } | changed


OLDER = [
    fit(id="9f04d1", status="done", elapsed_s=41.7, blocks_done=50, **{"pass": 50}, passes=passes(43), costs=costs(43)),
    fit(id="77ab02", status="stopped", elapsed_s=8.1, estimator="svc", **{"pass": 6}, job="svc.sweep/1",
        data="ChunkedDataset (1000000, 20) f64, 16 blocks", n_blocks=16, blocks_done=3, rows=1_000_000,
        passes=[{"job": "svc.survey/1", "seconds": 0.9, "blocks_read": 16}]
        + [{"job": "svc.sweep/1", "seconds": 1.1, "blocks_read": 16} for _ in range(4)],
        costs=[4100.0, 310.0, 52.0, 7.25]),
    fit(id="60c1ee", status="lost", driver="127.0.0.1:4988", elapsed_s=310, **{"pass": 9}, passes=passes(1), costs=costs(1)),
]


def moving(asked):
    """A pass goes on by the second, and passes follow each other."""
    seconds = 28.4 + asked
    done = 2 + 5 * asked
    return fit(elapsed_s=seconds, blocks_done=done % 51, **{"pass": 31 + done // 51})


def scene(name, asked):
    """The state at the `asked`th question, from 0."""
    workers = [worker(0), worker(1), worker(2, busy=1)]
    fits = [moving(asked), *OLDER]
    if name in ("empty", "hostile-empty"):
        workers, fits = [], []
    elif name == "idle":
        workers, fits = [worker(0, busy=0, resident_bytes=None, cache_bytes=0, cached_blocks=0, blocks_mapped=0, blocks_read=0)], []
    elif name == "silent":
        workers[1] = worker(1, silent_s=3.4 + asked, busy=0)
        workers.append(worker(3, slots=96, busy=71, version="0.0.9", cache_budget=0, cache_bytes=0, cached_blocks=0, blocks_read=1360))
        fits[0] |= {"notes": ["trying the step again: worker w1 has not been heard of for 3.4 s", "w1's blocks go to w0, w2 and w3"]}
    elif name == "failed":
        found = "part-0017.csv: line 20481, column 3: expected a number, found \"n/a\" (block 17, row 81)"
        fits[0] = fit(status="failed", **{"pass": 1}, job="kmeans.scan/1", blocks_done=17, passes=[], costs=[], rows=None, error=found)
    elif name == "many":
        workers = [worker(k, busy=k % 3, cache_bytes=3e8 + 1e8 * (k % 9)) for k in range(24)]
        long = [{"job": "svc.linear.products/1" if k % 3 else "svc.linear.evaluate/1", "seconds": 0.5 + 0.2 * math.sin(k / 9), "blocks_read": 500 if k < 20 else 40} for k in range(200)]
        fits = [fit(estimator="linear_svc", job="svc.linear.products/1", **{"pass": 412}, passes=long, n_blocks=500, blocks_done=187,
                    data="ChunkedDataset (100000000, 20) f32, 500 blocks", rows=100_000_000, elapsed_s=4210.0,
                    costs=[10 ** (8 - 5 * k / 999) for k in range(1000)])] + [OLDER[k % 3] | {"id": f"{k:06x}"} for k in range(19)]
    elif name == "hostile":
        workers = [worker(0, name=HOSTILE, host=HOSTILE, port=HOSTILE, pid={"toString": 1}, slots=1e300, busy=-5, version=HOSTILE),
                   worker(1, name="__proto__", silent_s="x", cache_budget=None, cached_blocks=[1]), worker(1, name="__proto__"), "not a worker", None]
        fits = [fit(id=HOSTILE, driver="javascript:alert(1)", estimator=HOSTILE, data=HOSTILE * 9, status=HOSTILE, job="constructor", notes=[HOSTILE, 7, {"a": 1}],
                    error=HOSTILE, costs=[1e308, -1e308, None, HOSTILE, 5, 1e9], passes=[{"job": HOSTILE, "seconds": -1, "blocks_read": 1e308}, 3], n_blocks=0),
                fit(id="__proto__"), {}, 4]
    return {
        "version": "0.1.0", "address": "127.0.0.1:8786; rm -rf ~" if name.startswith("hostile") else "127.0.0.1:8786",
        "uptime_s": 754.2 + time.monotonic() - STARTED, "workers": workers, "fits": fits,
    }


class Mock(BaseHTTPRequestHandler):
    asked = {}  # answers by scene

    def log_message(self, *_):
        pass

    def answer(self, status, body, content_type):
        self.send_response(status)
        headers = {
            "Content-Type": content_type, "Content-Length": str(len(body)), "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, status, value):
        self.answer(status, json.dumps(value).encode(), "application/json")

    def do_GET(self):
        _, name, file, *_ = [*self.path.split("/"), "", ""]
        file = file or "index.html"
        if file in FILES:
            self.answer(200, FILES[file].read_bytes(), f"{TYPES[FILES[file].suffix]}; charset=utf-8")
        elif file == "state.json":
            self.state(name)
        else:
            self.json(404, {"error": "there is no such page"})

    def state(self, name):
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.json(401, {"error": REFUSED})
            return
        asked = self.asked[name] = self.asked.get(name, -1) + 1
        if (name == "away" and asked >= 2) or (name == "back" and asked in (1, 2)):
            self.close_connection = True  # Nothing is said any more.
        elif name == "broken" and asked >= 2:
            self.json(500, {"error": "out of order"})
        else:
            self.json(200, scene(name, asked))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Mock)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
