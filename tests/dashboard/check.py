#!/usr/bin/env python3
"""Opens the dashboard in headless Chromium, and checks what holds for every state of it.

`check.py URL --expect TEXT` waits until the page shows the text; then the token must be gone from
the address bar and out of every address asked for, nothing may have gone to another origin, the
console must be silent (so the Content-Security-Policy holds), names must have stayed text, words
must stand out from what is behind them (WCAG AA), and nothing may be wider than the window.
Speaks WebDriver with the standard library alone; needs `chromium` and `chromedriver`.

`check.py -` reads such arguments from standard input, a scene a line, and opens them one after
another in tabs of one browser.
"""

import argparse
import base64
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars"
).split()
TOKEN_FIELD = "gate-token"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # The driver is here: past any proxy.
KEYS = {"enter": "\ue007", "left": "\ue012", "right": "\ue014", "home": "\ue011", "tab": "\ue004"}

# Words whose colour is too near to that behind them, with the ratio.
FAINT = """
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const parts = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
function behind(node) {
  for (; node; node = node.parentElement) {
    const colour = parts(getComputedStyle(node).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
}
const faint = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !node.checkVisibility() || node.closest('.unseen, noscript')) continue;
  const style = getComputedStyle(node);
  const colour = parts(node instanceof SVGElement ? style.fill : style.color);
  if (node.closest('label')?.querySelector('input:disabled')) continue;
  const [a, b] = [light(colour), light(behind(node))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faint.push(`${ratio.toFixed(2)}: ${walker.currentNode.textContent.trim().slice(0, 40)}`);
}
return faint;
"""

# Elements that no name may bring in: the page has one script, no image, no frame, no handler.
FOREIGN = """
return [...document.querySelectorAll('img, iframe, object, embed, audio, video, a, style, [style*="url"], [onerror], [onload]')].map((node) => node.outerHTML.slice(0, 200))
  .concat([...document.scripts].filter((script) => script.getAttribute('src') !== 'page.js').map((script) => script.outerHTML.slice(0, 200)));
"""

SCROLLS = "return document.documentElement.scrollWidth - document.documentElement.clientWidth;"


class Failed(Exception):
    """A check that does not hold."""


class Browser:
    """One session of chromedriver."""

    def __init__(self, profile):
        # Port 0 takes a free one, which chromedriver says.
        self.driver = subprocess.Popen([need("chromedriver"), "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.session = None
        try:
            port = next(line.rsplit(" ", 1)[1].strip(" .\n") for line in self.driver.stdout if "successfully on port" in line)
            self.base = f"http://127.0.0.1:{port}/session"
            options = {"binary": need("chromium"), "args": [*FLAGS, f"--user-data-dir={profile}"]}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}, "unhandledPromptBehavior": "ignore"}
            self.session = self.call("", capabilities={"alwaysMatch": wanted})["sessionId"]
        except BaseException:
            self.close()
            raise

    def call(self, path, **body):
        """POST to the session; GET where there is nothing to say and the path ends in `?`."""
        url = self.base + (f"/{self.session}/{path.rstrip('?')}" if self.session else "")
        request = urllib.request.Request(url, None if path.endswith("?") else json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with DIRECT.open(request, timeout=30) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise Failed(f"{path}: {json.load(error)['value']['message'].splitlines()[0]}") from None

    def script(self, code, *arguments):
        return self.call("execute/sync", script=code, args=list(arguments))

    def devtools(self, command, **parameters):
        return self.call("goog/cdp/execute", cmd=command, params=parameters)

    def press(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("actions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    def new_tab(self):
        """Instead of the one before: it has none of its state."""
        tab = self.call("window/new", type="tab")["handle"]
        request = urllib.request.Request(f"{self.base}/{self.session}/window", method="DELETE")
        DIRECT.open(request, timeout=30).close()
        self.call("window", handle=tab)
        # What the browser's own first tab asked for is not the page's.
        self.call("url", url="about:blank")
        self.log("performance"), self.log("browser")

    def log(self, kind):
        return self.call("se/log", type=kind)

    def close(self):
        if self.session:
            request = urllib.request.Request(f"{self.base}/{self.session}", method="DELETE")
            DIRECT.open(request, timeout=30).close()
        self.driver.terminate()
        self.driver.wait(10)


def need(program):
    return shutil.which(program) or sys.exit(f"{program} is missing: apt-get install chromium chromium-driver")


def shown(browser):
    return browser.script("return document.body.innerText + '\\n' + document.title;")


def wait_for(browser, texts, seconds):
    deadline = time.monotonic() + seconds
    while missing := [text for text in texts if text not in shown(browser)]:
        if time.monotonic() > deadline:
            raise Failed(f"not shown within {seconds} s: {missing}; but:\n{shown(browser)}")
        time.sleep(0.1)


def sign_in(browser, token):
    wait_for(browser, ["asks for its token"], 10)
    # The form has the focus, so that only keys are needed.
    focused = browser.script("return document.activeElement.id;")
    require(focused == TOKEN_FIELD, f"the form has not the focus, but {focused!r}")
    browser.press(*token, KEYS["enter"])


def require(holds, otherwise):
    if not holds:
        raise Failed(otherwise)


def check_requests(browser, origin, token):
    """Nothing to another origin, and no token in an address."""
    asked = 0
    for entry in browser.log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] != "Network.requestWillBeSent":
            continue
        url = message["params"]["request"]["url"]
        if url.startswith("data:"):
            continue
        asked += 1
        require(url.startswith(origin + "/"), f"a request to another origin: {url}")
        require(not token or token not in url, f"the token is in an address: {url}")
    require(asked > 3, f"only {asked} requests were seen")
    names = browser.script("return performance.getEntriesByType('resource').map((entry) => entry.name);")
    require(all(name.startswith((origin + "/", "data:")) for name in names), f"resources of others: {names}")


def check_page(browser, allowed):
    address = browser.call("url?")
    require("#" not in address and "token" not in address, f"the address bar still has the token: {address}")
    require(not (foreign := browser.script(FOREIGN)), f"elements that are not the page's: {foreign}")
    require(not (faint := browser.script(FAINT)), f"words that do not stand out: {faint}")
    require((over := browser.script(SCROLLS)) <= 0, f"the page is {over} px wider than the window")
    entries = [entry["message"] for entry in browser.log("browser")]
    loud = [entry for entry in entries if not any(text in entry for text in allowed)]
    require(not loud, f"the console says: {loud}")


def screenshot(browser, path):
    picture = browser.devtools("Page.captureScreenshot", captureBeyondViewport=True)
    Path(path).write_bytes(base64.b64decode(picture["data"]))


def check(browser, options):
    parts = urlsplit(options.url)
    token = parts.fragment.partition("token=")[2] or options.sign_in
    width, height = map(int, options.size.split("x"))
    phone = width < 600
    browser.new_tab()
    browser.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1, mobile=phone)
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": options.scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}])
    browser.call("url", url=options.url)
    if options.sign_in:
        sign_in(browser, options.sign_in)
    wait_for(browser, options.expect, options.within)
    if options.reload:
        browser.call("refresh")
        wait_for(browser, options.expect, options.within)
    if options.focus:
        browser.script("document.querySelector(arguments[0]).focus();", options.focus)
        browser.press(*(KEYS[key] for key in options.press))
        wait_for(browser, options.then, options.within)
    for text in options.absent:
        require(text not in shown(browser), f"shown, and should not be: {text}")
    if options.screenshot:
        full = browser.script("return document.documentElement.scrollHeight;")
        browser.devtools("Emulation.setDeviceMetricsOverride", width=width, height=max(height, full), deviceScaleFactor=2 if phone else 1, mobile=phone)
        screenshot(browser, options.screenshot)
    check_page(browser, options.allow)
    check_requests(browser, f"{parts.scheme}://{parts.netloc}", token)


def parser_of_scenes():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="as the scheduler prints it, with #token=; or - for scenes from standard input")
    parser.add_argument("--expect", nargs="+", default=[], metavar="TEXT", help="what the page comes to show")
    parser.add_argument("--absent", nargs="+", default=[], metavar="TEXT", help="what it does not show then")
    parser.add_argument("--within", type=float, default=15, metavar="SECONDS", help="how long to wait for texts")
    parser.add_argument("--allow", nargs="+", default=[], metavar="TEXT", help="entries of the console that belong to the scene")
    parser.add_argument("--sign-in", metavar="TOKEN", help="expect the form, and type this")
    parser.add_argument("--reload", action="store_true", help="load the page again: the token must last")
    parser.add_argument("--focus", metavar="SELECTOR", help="focus this and press keys")
    parser.add_argument("--press", nargs="+", default=[], choices=KEYS)
    parser.add_argument("--then", nargs="+", default=[], metavar="TEXT", help="what the page shows after the keys")
    parser.add_argument("--size", default="1280x800", metavar="WxH", help="below 600 wide a phone")
    parser.add_argument("--scheme", default="light", choices=["light", "dark"])
    parser.add_argument("--screenshot", metavar="FILE", help="of the whole page, as PNG")
    return parser


def scenes():
    parser = parser_of_scenes()
    options = parser.parse_args()
    if options.url != "-":
        return [options]
    return [parser.parse_args(shlex.split(line)) for line in sys.stdin if line.strip()]


def main():
    with tempfile.TemporaryDirectory(prefix="dashboard-", ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            for options in scenes():
                began = time.monotonic()
                check(browser, options)
                print(f"{options.screenshot or options.url.partition('#')[0]}: as expected, {time.monotonic() - began:.1f} s", flush=True)
        except Failed as failed:
            sys.exit(f"{options.url.partition('#')[0]}: {failed}")
        finally:
            browser.close()


if __name__ == "__main__":
    main()
