"""What provision.py stands on: config.json, folders for boards, things in AWS IoT Core."""

from typing import NoReturn

import click


def stop(*lines: str) -> NoReturn:
    """End the command with these lines as its error."""
    raise click.ClickException("\n".join(lines))
