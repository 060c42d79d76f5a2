"""Makes for each board its identity in AWS IoT Core and the folder that is copied onto it.

    python provision.py create      things, certificates, boards/<thing>/
    python provision.py remove      deletes all of that

The private key is made here and goes onto the board, nowhere else: AWS is sent a request that it
signs. Nothing that exists is written over. The policy that boards get is made by `make deploy`
(cloud/template.yaml), which comes first.
"""

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from botocore.exceptions import BotoCoreError, ClientError
from cloud.boards import stop
from cloud.boards.config import read_config
from cloud.boards.folder import FILES, ca_der, new_key, read, write_folder
from cloud.boards.registry import Registry

HERE = Path(__file__).resolve().parent
MQTT_PORT = 8883
PATH = click.Path(path_type=Path)

Command = Callable[..., None]


@click.group()
def main() -> None:
    """Identities for the boards: things, certificates, folders to copy."""


def common(command: Command) -> Command:
    """The options that both commands have, and plain words for errors of AWS."""

    @functools.wraps(command)
    def plainly(**arguments: Any) -> None:
        try:
            command(**arguments)
        except (BotoCoreError, ClientError) as error:
            stop(f"AWS: {error}", "are AWS_PROFILE and AWS_REGION right, and may you do this?")

    for option in (
        click.option(
            "--node", "nodes", type=click.IntRange(0, 7), multiple=True, help="Only this."
        ),
        click.option("--boards", type=PATH, default=HERE / "boards", help="Where folders are."),
        click.option("--config", "config_path", type=PATH, default=HERE / "config.json"),
    ):
        plainly = option(plainly)
    return plainly


def things_of(config: dict[str, Any], nodes: tuple[int, ...], count: int) -> dict[str, int]:
    """thing -> node id, of the nodes, or of the first `count` if none are given."""
    return {f"{config['cluster']}-{node}": node for node in sorted(set(nodes)) or range(count)}


@main.command()
@common
@click.option("--main", "program", type=PATH, default=HERE / "main.py", help="The boards' main.py.")
@click.option("--endpoint", metavar="HOST[:PORT]", help="MQTT broker; default: AWS is asked.")
@click.option("--ca", type=PATH, help="Its authority, PEM; default: Amazon Root CA 1.")
def create(
    config_path: Path,
    boards: Path,
    nodes: tuple[int, ...],
    program: Path,
    endpoint: str | None,
    ca: Path | None,
) -> None:
    """Make things, certificates, and for each board a folder to copy."""
    config = read_config(config_path)
    things = things_of(config, nodes, config["nodes"])
    for thing, node in things.items():
        if node >= config["nodes"]:
            stop(f"{thing}: in {config_path}, nodes is {config['nodes']}: raise it first")
    shared = {"main.py": read(program).encode(), "ca.der": ca_der(ca)}
    registry = Registry(config["cluster"])
    registry.check_policy()
    config["mqtt_host"], config["mqtt_port"] = split_endpoint(endpoint or registry.endpoint())
    for thing, node in things.items():
        refuse_to_overwrite(registry, thing, node, boards / thing)
    for thing, node in things.items():
        own = json.dumps({**config, "node_id": node}, indent=2) + "\n"
        try:
            key, request = new_key(thing)
            identity = {"cert.der": registry.create(thing, request), "key.der": key}
            registry.made.append(f"folder {boards / thing}, not all of it")
            write_folder(boards / thing, {**shared, "config.json": own.encode(), **identity})
            registry.made[-1] = f"folder {boards / thing}"
        except (BotoCoreError, ClientError, OSError) as error:
            stop_half_way(thing, error, registry.made)
    for thing in things:
        copy = f"cd {boards / thing} && mpremote cp {' '.join(FILES)} :"
        click.echo(f"{thing}: connect that board alone, then\n  {copy}")


def split_endpoint(endpoint: str) -> tuple[str, int]:
    host, colon, port = endpoint.partition(":")
    if not host or colon and not port.isdigit():
        stop(f"endpoint {endpoint!r}: expected HOST or HOST:PORT")
    return host, int(port or MQTT_PORT)


def refuse_to_overwrite(registry: Registry, thing: str, node: int, folder: Path) -> None:
    others = "to make only others: provision.py create --node NUMBER"
    again = f"to make it anew: provision.py remove --node {node}, then create --node {node}"
    if folder.exists():
        stop(f"{folder} exists, with the key of that board", others, again)
    found = registry.find(thing)
    if found:
        ours, certificates = found
        if not ours:
            stop(f"thing {thing} exists and is not ours: delete it, or rename the cluster", others)
        if certificates:
            stop(f"thing {thing} has a certificate, whose key is elsewhere", others, again)


def stop_half_way(thing: str, error: Exception, made: list[str]) -> NoReturn:
    lines = [f"  {what}" for what in made] or ["  nothing"]
    stop(f"{thing}: {error}", "made, and left:", *lines, "to delete it: provision.py remove")


@main.command()
@common
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(config_path: Path, boards: Path, nodes: tuple[int, ...], yes: bool) -> None:
    """Delete things and certificates, then the folders: their keys are of no use any more."""
    config = read_config(config_path)
    registry = Registry(config["cluster"])
    doomed: dict[str, list[str]] = {}
    folders: list[Path] = []
    for thing in things_of(config, nodes, count=8):
        found = registry.find(thing)
        if found and not found[0]:
            click.echo(f"thing {thing} was not made by provision.py and stays")
        elif found:
            doomed[thing] = found[1]
            click.echo(f"thing {thing} with {len(found[1])} certificate(s)")
        if (boards / thing).is_dir():
            folders.append(boards / thing)
            click.echo(f"folder {boards / thing} with the key of that board")
    if not doomed and not folders:
        click.echo(f"nothing of cluster {config['cluster']} to delete")
        return
    if not yes:
        click.confirm("Delete these?", abort=True)
    for thing, certificates in doomed.items():
        registry.remove(thing, certificates)
    for folder in folders:
        shutil.rmtree(folder)
        click.echo(f"deleted folder {folder}")


if __name__ == "__main__":
    main(prog_name="provision.py")
