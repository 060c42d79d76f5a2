"""An AWS on this machine with the application's cloud half in it: ministack, and `sam deploy`.

    with Cloud(print) as cloud:
        cloud.deploy(MailFrom="cluster@example.com", MailTo="me@example.com")
        subprocess.run([..., "provision.py", "create", ...], env=cloud.environment)
        cloud.mails()

Rule: nothing of this reaches a real account. What the environment says about AWS is taken out, and
every tool gets keys that mean nothing and the address of the emulator instead.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = Path(__file__).resolve().parents[1] / "cloud"
REGION = "eu-west-1"
KEY = "test"  # ministack's root user
START_TIMEOUT_S = 90
DEPLOY_TIMEOUT_S = 300
STOP_TIMEOUT_S = 10


class CloudError(RuntimeError):
    """The emulator, or the deployment into it, does not work; the text says what to do."""


@dataclass(frozen=True)
class Mail:
    sender: str
    to: tuple[str, ...]
    subject: str
    body: str


def tool(name: str) -> str:
    """The path of `ministack` or `sam`: in the environment that the Makefile makes, or on PATH."""
    own = ROOT / f".venv-{name}" / "bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise CloudError(f"no {name}, neither {own} nor on PATH: run `make cloud-tools`")
    return found


class Cloud:
    """The emulator as a process of its own. A context manager: leaving it stops all of it.

    progress   called with a line of text at each step
    outputs    of the stack, after `deploy`
    log        the file with what ministack and the functions print
    """

    def __init__(self, progress: Callable[[str], object] = lambda line: None):
        self.progress = progress
        self.mqtt_host = "localhost"
        self.port, self.mqtt_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.outputs: dict[str, str] = {}
        self._made = ExitStack()
        self.folder = Path(self._made.enter_context(tempfile.TemporaryDirectory(prefix="cloud-")))
        self.log = self.folder / "ministack.log"
        self.environment = clean_environment(self.folder, self.url)
        self.session = boto3.Session(KEY, KEY, region_name=REGION)

    def __enter__(self) -> "Cloud":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> None:
        """Start the emulator and wait until it answers, on both ports."""
        since_s = time.monotonic()
        self.progress("starting ministack, an AWS on this machine")
        environment = self.environment | {
            "AUTH": "true",  # policies count, those of functions and those of boards
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_PORT": str(self.mqtt_port),
            "MINISTACK_REGION": REGION,
            "SFTP_ENABLED": "0",
        }
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [tool("ministack")],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its functions are its children: one group to end
            )
        self._made.callback(end, process)
        self._wait_until_ready(process)
        seconds = time.monotonic() - since_s
        self.progress(f"ministack is up: port {self.port}, MQTT {self.mqtt_port} ({seconds:.1f} s)")

    def _wait_until_ready(self, process: subprocess.Popen) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline_s and process.poll() is None:
            try:
                state = json.loads(self.get("/_ministack/ready"))["iot_mtls"]
            except OSError:  # it does not listen yet, or says 503
                time.sleep(0.2)
                continue
            if state == "listening":
                return
            raise CloudError(f"ministack has no MQTT on port {self.mqtt_port}:\n{self.log_end()}")
        how = "did not come up" if process.poll() is None else f"ended ({process.returncode})"
        raise CloudError(f"ministack {how}; its last lines:\n{self.log_end()}")

    def stop(self) -> None:
        """End the emulator. All that was in it is gone."""
        self._made.close()

    # Setting up

    def deploy(self, stack: str = "avocado", **parameters: str | int) -> dict[str, str]:
        """`sam deploy` the template with these parameters; the stack's outputs."""
        since_s = time.monotonic()
        self.progress("deploying the tables, rules and functions: sam deploy")
        overrides = [f"ParameterKey={key},ParameterValue={parameters[key]}" for key in parameters]
        command = [tool("sam"), "deploy", "--stack-name", stack, "--region", REGION]
        if overrides:
            command += ["--parameter-overrides", *overrides]
        try:
            done = subprocess.run(
                command,
                cwd=TEMPLATE,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=DEPLOY_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise CloudError(f"{error}; ministack's last lines:\n{self.log_end()}") from error
        if done.returncode:
            raise CloudError(f"sam deploy failed ({done.returncode}):\n{done.stdout[-3000:]}")
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
        self.progress(f"deployed stack {stack} ({time.monotonic() - since_s:.1f} s)")
        return self.outputs

    # Looking

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.url)

    def items(self, output: str) -> list[dict[str, Any]]:
        """All items of the table in this output: ReadingsTable or LedgerTable."""
        resource: Any = self.session.resource("dynamodb", endpoint_url=self.url)
        table = resource.Table(self.outputs[output])
        items, more = [], {}
        while True:
            page = table.scan(ConsistentRead=True, **more)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def dead_letters(self) -> list[dict[str, Any]]:
        """What is in the dead-letter queue. It stays there."""
        queue, found = self.outputs["DeadLetterQueue"], []
        while True:
            answer = self.client("sqs").receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=1
            )
            found += [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            if not answer.get("Messages"):
                return found

    def mails(self) -> list[Mail]:
        """The mails that SES has sent, oldest first."""
        accounts = json.loads(self.get("/_ministack/ses/messages"))["messages"]
        return [
            Mail(one["Source"], tuple(one["To"]), one["Subject"], one["BodyText"])
            for messages in accounts.values()
            for one in messages
        ]

    @property
    def ca_pem(self) -> str:
        """The certificate that boards must trust."""
        return self.get("/_ministack/iot/ca.pem")

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def log_end(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def clean_environment(home: Path, url: str) -> dict[str, str]:
    """This process's environment without any AWS settings but those for the emulator."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAM_"))}
    return kept | {
        "HOME": str(home),  # no ~/.aws; and what ministack and sam leave behind goes with it
        "TMPDIR": str(home),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "SAM_CLI_TELEMETRY": "0",
    }


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on now."""

    def sockets() -> Iterator[socket.socket]:
        for _ in range(count):
            yield made.enter_context(socket.create_server(("127.0.0.1", 0)))

    with ExitStack() as made:
        return [one.getsockname()[1] for one in list(sockets())]


def end(process: subprocess.Popen) -> None:
    """End the process and its children: politely, then at once."""
    for number, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, STOP_TIMEOUT_S)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
