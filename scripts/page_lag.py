#!/usr/bin/env python3
"""How far the dashboard lags behind, in a headless Chromium: the age of the state that the page shows, and how long a change of
the SNR takes to appear. Needs chromedriver and chromium, nothing else.

    scripts/page_lag.py http://127.0.0.1:8080 --snr 3,-7,11,0,5

The SNRs are set as a user would, through the page's own `POST /api/conditions`; the channel is Rayleigh. Send clips meanwhile: a page without
news is not drawn anew.
"""
import argparse
import json
import statistics
import subprocess
import time
import urllib.request

PORT = 9516


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("page", help="URL of the dashboard")
    parser.add_argument("--samples", type=int, default=100, help="readings of the state's age, 0.15 s apart")
    parser.add_argument("--snr", default="", help="SNRs in dB to set one after the other, with commas")
    args = parser.parse_args()
    driver = subprocess.Popen(["chromedriver", f"--port={PORT}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        measure(args)
    finally:
        driver.terminate()


def call(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    return json.load(urllib.request.urlopen(request, timeout=60))


def measure(args):
    root = f"http://127.0.0.1:{PORT}/session"
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,1600"]
    options = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": flags}}}}
    session = f"{root}/{call('POST', root, options)['value']['sessionId']}"

    def script(code):
        return call("POST", f"{session}/execute/sync", {"script": f"return {code}", "args": []})["value"]

    call("POST", f"{session}/url", {"url": args.page})
    time.sleep(5)
    ages = []
    for _ in range(args.samples):
        ages.append(script("Date.now() - Number(document.documentElement.dataset.renderedMs)"))
        time.sleep(0.15)
    ages.sort()
    p95 = ages[int(0.95 * (len(ages) - 1))]
    print(f"age of the state shown: median {statistics.median(ages):.0f} ms, 95 % {p95} ms, most {ages[-1]} ms")
    for snr in filter(None, args.snr.split(",")):
        set_snr(args.page, float(snr))
        began = time.monotonic()
        shown = "[...document.querySelectorAll('input')].some(i => i.value !== '' && Number(i.value) === %s)"
        while not script(shown % float(snr)):
            if time.monotonic() - began > 10:
                raise SystemExit(f"{snr} dB was never shown")
        print(f"{snr} dB shown after {1000 * (time.monotonic() - began):.0f} ms")
    call("DELETE", session)


def set_snr(page, snr):
    call("POST", page.rstrip("/") + "/api/conditions", {"kind": "rayleigh", "snr_db": snr})


if __name__ == "__main__":
    main()
