"""For the tests of examples/avocado's cloud half: its modules, the tools it needs, and messages."""

import base64
import importlib
import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "avocado"
FUNCTIONS = EXAMPLE / "cloud" / "functions"
TEMPLATE = EXAMPLE / "cloud" / "template.yaml"
IN_CI = os.environ.get("CI") == "true"
NOW_S = 1_765_180_100
SLOT = 1_961_311

for folder in (EXAMPLE, FUNCTIONS):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def require(*modules):
    """Skip the test file if a package is not installed; in CI that is an error."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            if IN_CI:
                raise
            pytest.skip(f"{error}: run `make cloud-tools`", allow_module_level=True)


def require_tool(name):
    """The path of `sam` or `ministack`. Skip the test if there is none; in CI that is a failure."""
    from rehearsal.cloud import CloudError, tool

    try:
        return tool(name)
    except CloudError as error:
        if IN_CI:
            pytest.fail(str(error))
        pytest.skip(str(error))


def token(epoch, node):
    return epoch << 3 | 7 - node


def message(node=0, epoch=1, **changes):
    """What all messages have in common."""
    common = {
        "cluster": "rosie",
        "node": node,
        "token": token(epoch, node),
        "epoch": epoch,
        "sequence": 7,
        "slot": SLOT,
    }
    return {**common, **changes}


def reading(node=0, epoch=1, **changes):
    own = {
        "sensor": "avocado",
        "celsius": 21.5,
        "taken_at": NOW_S - 100,
        "rom": "28ff641e8216c3a1",
    }
    return {**message(node, epoch), **own, **changes}


def event(kind, node=0, epoch=1, **changes):
    own = {"kind": kind, "about": 1, "n": 3}
    own.update({"split_brain": {"rival_token": 14}, "refused": {"fence": 22}}.get(kind, {}))
    if kind == "app":
        own.update(about=node, n=SLOT, what="wifi: no access point after 20 s")
    return {**message(node, epoch), **own, **changes}


def envelope(content, thing=None, topic_cluster="rosie"):
    """What the IoT rule makes of a message; `content` may be bytes, of any kind."""
    if thing is None:
        thing = f"rosie-{content['node']}"
        if content.get("kind") == "refused":
            thing = "n/a"
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {
        "payload": base64.b64encode(payload).decode(),
        "topic_cluster": topic_cluster,
        "thing": thing,
        "received_at_ms": NOW_S * 1000,
    }
