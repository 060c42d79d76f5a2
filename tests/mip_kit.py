"""What the tests of the mip packages share: the hosts that mip asks, and boards that ask them.

mip and mpremote are the real ones, and so is what they read. Only their way to the network leads
to the `Mirror`, which has the files of this checkout at the addresses of the public repository.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.packages import RELEASES, REPOSITORY, ROOT, asset, bytecode_names, tag

TOOLS = Path(sys.executable).parent
TIMEOUT_S = 60

RAW = REPOSITORY.replace("github:", "https://raw.githubusercontent.com/")
INDEX = "https://micropython.org/pi/v2"
ASSETS = "/release-assets.githubusercontent.com/"  # to where GitHub redirects
MPY_VERSION = 6

# Every request of MicroPython's `requests`, and so of mip, goes to the mirror.
MIP = """
import requests
ask = requests.request
def request(method, url, *args, **more):
    return ask(method, url.replace("https:/", {mirror!r}, 1), *args, **more)
requests.request = request
import mip
mip.install({package!r}, version={version!r})
"""
MPREMOTE = """
import sys, urllib.request
ask = urllib.request.urlopen
urllib.request.urlopen = lambda url: ask(url.replace("https:/", {mirror!r}, 1))
from mpremote.main import main
sys.exit(main())
"""


class Mirror:
    """https://HOST/PATH is found at `address`/HOST/PATH, as long as the block lasts.

    `asked`: all that was asked for, without ``https:/``. `missing`: what shall not be there.
    `assets`: what is attached to the release of this version, by name.
    """

    def __init__(self, root=ROOT):
        self.root = root
        self.asked = []
        self.missing = set()
        self.assets = {}
        self._index = {}
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.asked.append(self.path)
                body, elsewhere = mirror.answer(self.path)
                self.send_response(302 if elsewhere else 404 if body is None else 200)
                if elsewhere:
                    self.send_header("Location", elsewhere)
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path):
        """(body, None), (None, address to go to instead), or (None, None): not there."""
        url = "https:/" + path
        if url in self.missing:
            return None, None
        if url.startswith(RAW + "/"):
            ref, _, name = url[len(RAW) + 1 :].partition("/")
            file = self.root / name
            return (
                file.read_bytes() if ref in ("HEAD", tag(ROOT)) and file.is_file() else None
            ), None
        release = f"{RELEASES}/{tag(ROOT)}/"
        if url.startswith(release) and url[len(release) :] in self.assets:
            return None, self.address + ASSETS + url[len(release) :] + "?signature=1"
        if path.startswith(ASSETS):
            return self.assets.get(path[len(ASSETS) :].partition("?")[0]), None
        return self._index.get(url), None

    def attach(self, folder):
        """Attach the bytecode in that folder to the release."""
        self.assets = {asset(n): (folder / f"{n}.mpy").read_bytes() for n in bytecode_names()}

    def add_to_index(self, package, source, folder):
        """Put a module of micropython-lib into mip's index, as source and as bytecode."""
        target = package.replace(".", "/")
        compiled = cross_compile(source, folder / f"{package}.mpy")
        for kind, file in (("py", source), (MPY_VERSION, compiled)):
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:8]
            listed = {"v": 1, "hashes": [[target + file.suffix, digest]], "version": "1"}
            self._index[f"{INDEX}/package/{kind}/{package}/latest.json"] = json.dumps(
                listed
            ).encode()
            self._index[f"{INDEX}/file/{digest[:2]}/{digest}"] = content


def cross_compile(source, target, name="x.py"):
    """Bytecode of the source file, as `make mpy` makes it."""
    command = [TOOLS / "mpy-cross", "-O3", "-s", name, "-o", target, source]
    subprocess.run(command, check=True, timeout=TIMEOUT_S)
    return target


def micropython(flash, script, *path):
    """What MicroPython prints that runs the script in a board's flash."""
    search = [flash / "lib", *path, ".frozen"]
    done = subprocess.run(
        [TOOLS / "micropython", "-c", script],
        cwd=flash,
        env=os.environ | {"MICROPYPATH": ":".join(map(str, search))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def install(mirror, flash, package, version=None):
    """Install the package on a board, by the board's own mip: what that prints.

    It ends with `Done` or with `Package may be partially installed`; the exit code is 0 for both.
    """
    script = MIP.format(mirror=mirror.address, package=package, version=version)
    return micropython(flash, script).splitlines()


def mpremote(mirror, port, *args, cwd=None):
    """Run mpremote on a port: the finished process."""
    return subprocess.run(
        [sys.executable, "-c", MPREMOTE.format(mirror=mirror.address), "connect", port, *args],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def files(flash):
    """All files in a board's flash."""
    found = [path for path in flash.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(flash)) for path in found)
