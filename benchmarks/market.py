"""The Market page with 5,000 offers in Chromium: from a key in its filter to the repainted rows.

The provider is a stand-in on loopback, since no real one sends so many rows at once. Each sample runs from the browser's
own input event to the second frame after the rows have changed; it has the way to the server and back in it. The peer is
the same page with the 64 rows that a provider's page has.
"""

import http.server
import json
import os
import pathlib
import random
import secrets
import shutil
import subprocess
import tempfile
import threading

import browser
import figures
import processes

ROWS = 5_000
A_PAGE = 64
LIMIT_MS = 100
PATIENCE_MS = 1_500
EMAIL = "bench@example.org"
TYPED = ["4090", "1734", "no", "a1", "25"]  # every key changes which offers fit
GPUS = [("RTX 3060", 12, .07), ("RTX 3090", 24, .22), ("RTX 4090", 24, .45), ("RTX 5090", 32, .7), ("RTX A6000", 48, .5), ("L40S", 48, .8), ("A100 SXM4", 80, 1.4), ("H100 SXM", 80, 2.4)]
PLACES = ["Norway, NO", "Ohio, US", "Quebec, CA", "Czechia, CZ", "Iceland, IS", "Texas, US", "Poland, PL"]

# Resolves with milliseconds once the rows have been painted that the next input brings.
WATCH = """
window.__repaint = new Promise((done, fail) => {
  const box = document.getElementById('market-find'), count = document.querySelector('.offers-head [aria-live]');
  setTimeout(() => fail(new Error('nothing changed')), PATIENCE);
  box.addEventListener('input', event => {
    const seen = new MutationObserver(() => {
      seen.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - event.timeStamp)));
    });
    seen.observe(count, { childList: true, characterData: true, subtree: true });
  }, { once: true });
}); 0
""".replace("PATIENCE", str(PATIENCE_MS))


def rows(count):
    dice = random.Random(7)
    for number in range(count):
        name, vram, usd = dice.choice(GPUS)
        rate = round(usd * dice.uniform(.7, 2.2), 4)
        yield {"id": 9_000_000 + number, "machine_id": dice.randrange(10_000, 99_999), "host_id": dice.randrange(100, 9_999), "gpu_name": name, "num_gpus": 1, "gpu_ram": vram * 1_024,
               "dph_base": rate, "dph_total": rate + .002, "storage_cost": .15, "storage_total_cost": .002, "inet_up_cost": .001, "inet_down_cost": .001,
               "inet_up": dice.randrange(50, 3_000), "inet_down": dice.randrange(50, 5_000), "disk_bw": dice.randrange(300, 5_000), "disk_space": 500, "cpu_cores_effective": 8,
               "cpu_ram": 64_000, "reliability2": round(dice.uniform(.85, .999), 4), "verification": "verified", "cuda_max_good": 12.8, "direct_port_count": 50,
               "geolocation": dice.choice(PLACES), "duration": 2_000_000, "rentable": True, "rented": False, "is_bid": False}


class Provider(http.server.BaseHTTPRequestHandler):
    """Answers the search with as many rows as wanted and everything else as an empty account."""

    offers = b""
    searches = 0

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/bundles" in self.path:
            type(self).searches += 1
            content = self.offers
        elif "/users/current" in self.path:
            content = b'{"id": 7, "username": "bench", "credit": 25.0, "balance": 0}'
        else:
            content = b'{"success": true, "instances": [], "instances_found": 0, "total_instances": 0, "next_token": null}'
        del body
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


class Dashboard:
    """A server whose one provider is the stand-in."""

    def __init__(self):
        self.url = f"http://localhost:{processes.PORT}"
        self.token, self.password = secrets.token_hex(24), secrets.token_hex(16) + "-Aa1"

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dashboard-bench-", dir="/var/tmp"))
        self.provider = http.server.ThreadingHTTPServer(("127.0.0.1", processes.PORT + 1), Provider)
        threading.Thread(target=self.provider.serve_forever, daemon=True).start()
        with (self.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                ["dotnet", "exec", processes.dll("Web")],
                env={**os.environ, "ASPNETCORE_ENVIRONMENT": "Development", "ASPNETCORE_URLS": self.url, "Data__Directory": str(self.folder / "data"), "Sandbox__Enabled": "false", "Prices__Poll": "false",
                     "Providers__VastAi__BaseUrl": f"http://127.0.0.1:{processes.PORT + 1}", "Bootstrap__Email": EMAIL, "Bootstrap__Password": self.password,
                     "Bootstrap__Team": "Bench", "Bootstrap__ApiToken": self.token},
                stdout=log, stderr=log)
        headers = {"Authorization": f"Bearer {self.token}"}
        processes.until(lambda: processes.call("GET", f"{self.url}/api/v1/connections", headers=headers) is not None, "the server answers")
        processes.call("POST", f"{self.url}/api/v1/connections", {"provider": "VastAi", "key": secrets.token_hex(32)}, headers)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.provider.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)


def sign_in(page, server):
    page.go(f"{server.url}/sign-in")
    page.until("document.querySelector('input[type=password]') !== null")
    page.evaluate(f"document.querySelector('input[type=email]').value = {json.dumps(EMAIL)}; document.querySelector('input[type=password]').value = {json.dumps(server.password)}; "
                  "document.querySelector('input[type=password]').form.requestSubmit(); 0")
    return page.until("location.pathname.startsWith('/t/') && location.pathname.split('/')[2]")


def typing(page, server, team, count, rounds):
    """Milliseconds from each key to its repaint, over `rounds` of the same words."""
    Provider.offers = json.dumps({"offers": list(rows(count))}).encode()
    page.go(f"{server.url}/t/{team}/market?count=1{'' if count == ROWS else '&down=100'}")
    fits = page.until("(text => text && Number(text.replace(/,/g, '')))(document.querySelector('.offers-head [aria-live]')?.textContent)")
    page.until("document.querySelectorAll('tr.offer').length > 5 && document.querySelector('.apexcharts-svg') !== null")
    page.evaluate("document.getElementById('market-find').focus(); 0")
    asked, samples = Provider.searches, []
    for turn in range(rounds + 1):
        for word in TYPED:
            for step in [*word, *([None] * len(word))]:
                before = page.evaluate("document.querySelector('.offers-head [aria-live]').textContent")
                page.evaluate(WATCH)
                page.erase() if step is None else page.press(step)
                try:
                    took = page.evaluate("window.__repaint")
                except RuntimeError:
                    if before == page.evaluate("document.querySelector('.offers-head [aria-live]').textContent"):
                        continue  # the same rows fit as before this key
                    took = PATIENCE_MS
                if turn > 0:  # the first round warms the server up
                    samples.append(took / 1000)
    assert Provider.searches == asked, "typing asked the provider"
    return fits, samples


def main():
    options = figures.arguments(rounds=3)
    table = figures.Figures()
    with Dashboard() as server, browser.Browser(server.folder) as page:
        team = sign_in(page, server)
        fits, many = typing(page, server, team, ROWS, options.rounds)
        _, few = typing(page, server, team, A_PAGE, options.rounds)
    assert fits == ROWS, f"{fits} offers on the page"
    table.percentile(f"key in Market's filter to repaint, {ROWS:,} offers, p95", many, 0.95, LIMIT_MS / 1000)
    table.beside("the same, beside one page of a provider", many, f"with {A_PAGE} offers", few)
    table.print(options.strict)


if __name__ == "__main__":
    main()
