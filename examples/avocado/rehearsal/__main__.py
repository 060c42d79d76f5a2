"""`make avocado`: the whole application on this machine, from the sensor to the mail.

    python -m rehearsal [--seed 1] [--out build/avocado]        (in examples/avocado)

The template runs in ministack, an AWS emulator; provision.py makes the identities; the boards are
MicroPython processes that run main.py on a simulated bus and speak MQTT with mutual TLS. Time is
virtual, so 12 hours take a minute. Ends with 1 if anything is not as it must be.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console

from . import show
from .cloud import Cloud, CloudError
from .field import APPLICATION, ROOT, Field
from .judge import Verdict, judge
from .router import Router
from .story import play, wait_for

BYTECODE = ROOT / "build" / "mpy" / "eecluster"
MAIL = {"MailFrom": "cluster@example.com", "MailTo": "oncall@example.com"}


def provision(cloud: Cloud, router: Router, folder: Path) -> list[Path]:
    """Run provision.py as a user does; the boards' folders, in the order of the nodes."""
    config = json.loads((APPLICATION / "config.json").read_text())
    config |= {"wifi_ssid": "garden", "wifi_key": "not a secret"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "ca.pem").write_text(cloud.ca_pem)
    command = [sys.executable, str(APPLICATION / "provision.py"), "create"]
    command += ["--config", str(folder / "config.json"), "--boards", str(folder / "boards")]
    command += ["--endpoint", f"{cloud.mqtt_host}:{router.port}", "--ca", str(folder / "ca.pem")]
    done = subprocess.run(command, env=cloud.environment, capture_output=True, text=True)
    if done.returncode:
        raise CloudError(f"provision.py failed:\n{done.stdout}{done.stderr}")
    return sorted(path for path in (folder / "boards").iterdir() if path.is_dir())


def rehearse(seed: int, out: Path, console: Console) -> Verdict:
    """Play it, judge it, show it."""
    since_s = time.monotonic()

    def say(line: str) -> None:
        console.print(f"[dim]{time.monotonic() - since_s:5.1f} s[/dim]  {line}", highlight=False)

    with tempfile.TemporaryDirectory() as temporary, Cloud(say) as cloud:
        cloud.deploy(QuietKinds="none", **MAIL)
        router = Router((cloud.mqtt_host, cloud.mqtt_port))
        say("making the identities of two boards: provision.py create")
        folders = provision(cloud, router, Path(temporary))
        config = json.loads((folders[0] / "config.json").read_text())
        library = BYTECODE if BYTECODE.exists() else None
        with Field(config, folders, seed, say, library) as field:
            play(field, router, cloud)
            say("waiting for the cloud to finish")
            verdict = settled(field, cloud)
            router.close()
            out.mkdir(parents=True, exist_ok=True)
            show.plot(out / "avocado.png", field, verdict)
            console.print()
            show.draw(field, verdict, console)
            console.print("\nThe mails:")
            show.mails(cloud.mails(), console, out / "mails.txt")
            (out / "rows.txt").write_text(show.table(verdict.rows))
            (out / "boards.txt").write_text("\n".join(map(str, field.lab.events)) + "\n")
            (out / "ministack.log").write_text(cloud.log.read_text(errors="replace"))
    return verdict


def settled(field: Field, cloud: Cloud) -> Verdict:
    """The verdict, once nothing is on its way any more: it works in real time."""
    found: list[Verdict] = []

    def done() -> bool:
        rows, ledger = cloud.items("ReadingsTable"), cloud.items("LedgerTable")
        found.append(judge(field, rows, ledger, cloud.mails(), cloud.dead_letters()))
        return not found[-1].failed

    with contextlib.suppress(RuntimeError):  # the verdict says what is missing
        wait_for(done, "all readings and mails")
    return found[-1]


@click.command()
@click.option("--seed", default=1, help="Of the simulation.", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "build" / "avocado")
def main(seed: int, out: Path) -> None:
    """All of avocado on this machine: boards, broker, tables, mails."""
    console = Console(width=None if sys.stdout.isatty() else 110)
    try:
        verdict = rehearse(seed, out, console)
    except (CloudError, FileNotFoundError, RuntimeError) as error:
        console.print(f"\n{error}", style="red", markup=False)
        sys.exit(2)
    console.print("\nThe verdict:")
    for sentence in verdict.passed:
        console.print(f"  [green]✓[/green] {sentence}", highlight=False)
    for sentence in verdict.failed:
        console.print(f"  [red]✗[/red] {sentence}", highlight=False)
    console.print(f"\nPicture, mails, rows and what the boards said: {out}", soft_wrap=True)
    sys.exit(1 if verdict.failed else 0)


if __name__ == "__main__":
    main(prog_name="python -m rehearsal")
