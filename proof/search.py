"""The searches from the command line: every order, every crash.

    python -m proof.search                  the spaces and sweeps that `make test` does: their sizes
    python -m proof.search --all            those that take longer, too; --keep: for the docs
    python -m proof.search "older copy"     one of them
    python -m proof.search --case '...'     what a breach printed: each transfer, to read

Ends with 1 if a promise is broken, and then prints a shortest way to it. Stands on orders and
crashes.
"""

import json
import sys
import time

import click
from reporting import DATA
from reporting.fingerprint import fingerprint
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from proof.boards.program import Setup
from proof.breach import Breach
from proof.crashes.sweep import Sweep
from proof.crashes.sweeps import QUICK_SWEEPS, SWEEPS
from proof.orders.explorer import Explorer
from proof.orders.spaces import QUICK, SPACES

CODE = (
    "src/eecluster", "proof/boards", "proof/breach.py", "proof/crashes", "proof/decode.py",
    "proof/judges/judge.py", "proof/judges/recovery.py", "proof/judges/rulebook.py",
    "proof/orders", "proof/search.py",
)  # fmt: skip


def explore(name, progress=None):
    """The sizes of a space, as a dict. ``Breach``: its ``command`` replays it."""
    space = SPACES[name]
    started_s = time.process_time()
    try:
        explorer = Explorer(space)
        explorer.run(progress)
    except Breach as breach:
        breach.command = command(breach, {"space": name})
        raise
    return {
        "states": explorer.states,
        "moves": explorer.moves,
        "ends": len(explorer.ends),
        "runs": sum(machine.replays for machine in explorer.machines),
        "bound": space.overtaken,
        "seconds": round(time.process_time() - started_s, 1),
    }


def sweep(name, progress=None):
    """The sizes of a sweep, as a dict. ``Breach`` as above."""
    shape, wakes = SWEEPS[name]
    made = Sweep(Setup(*shape))
    started_s = time.process_time()
    try:
        made.reach(wakes, progress)
        made.crash(progress)
    except Breach as breach:
        breach.command = command(breach, {"sweep": shape})
        raise
    return {
        "states": len(made.origins),
        "cuts": made.cuts,
        "left": len(made.left),
        "wakes": made.undisturbed.runs,
        "transfers": made.most_transfers,
        "seconds": round(time.process_time() - started_s, 1),
    }


def command(breach, case):
    """The command that replays a breach."""
    text = json.dumps({**case, "moves": breach.moves}, separators=(",", ":"))
    return f"python -m proof.search --case '{text}'"


def replay(text, log):
    """Replay a case. ``Breach`` as it was found."""
    case = json.loads(text)
    searcher = Explorer(SPACES[case["space"]]) if "space" in case else Sweep(Setup(*case["sweep"]))
    searcher.replay(case["moves"], log)


def figures(found):
    return ", ".join(f"{name} {value:,}" for name, value in found.items() if value is not None)


def run(names, console, first=False, keep=False):
    """Search these; the breaches."""
    breaches = []
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[size]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        for name in names:
            task = bar.add_task(name, total=None, size="")

            def progress(searcher, task=task):
                states = searcher.states
                bar.update(task, size=f"{states:,} states")

            try:
                sizes = (explore if name in SPACES else sweep)(name, progress)
                console.print(f"[bold]{name}[/]: {figures(sizes)}", highlight=False)
                if keep:
                    put(name, sizes)
            except Breach as breach:
                breaches.append(breach)
                text = f"{name}: {breach}\n{breach.command}"
                console.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
                if first:
                    break
            bar.remove_task(task)
    return breaches


def put(name, sizes):
    """Put the sizes of one search into docs/data, with the code that they are of."""
    path = DATA / "searches.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else []
    by_name = {result["title"]: result for result in kept}
    by_name[name] = {"title": name, "state": {"code": fingerprint(*CODE)}, "sizes": sizes}
    ordered = [by_name[name] for name in [*SPACES, *SWEEPS] if name in by_name]
    path.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="also what takes longer")
@click.option("--first", is_flag=True, help="stop at the first breach")
@click.option("--keep", is_flag=True, help="put the sizes into docs/data")
@click.option("--case", help="replay what a breach printed")
def main(names, everything, first, keep, case):
    """Search spaces and sweeps."""
    if case:
        try:
            replay(case, click.echo)
        except Breach as breach:
            click.echo(f"{breach}")
            sys.exit(1)
        except ValueError as error:
            click.echo(f"the library has changed since, and this way is not there: {error}")
            sys.exit(2)
        click.echo("no breach")
        return
    for name in names:
        if name not in SPACES and name not in SWEEPS:
            raise click.UsageError(f"no {name!r}; there are: {'; '.join([*SPACES, *SWEEPS])}")
    if not names:
        names = [*SPACES, *SWEEPS] if everything else [*QUICK, *QUICK_SWEEPS]
    console = Console(width=None if sys.stdout.isatty() else 160)
    breaches = run(names, console, first, keep)
    sys.exit(bool(breaches))


if __name__ == "__main__":
    main()
