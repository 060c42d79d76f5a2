"""A cluster on simulated boards and chips, for tests. Runs on CPython and on MicroPython.

Every call of the library goes through `Kit.run`, which checks what must hold in all tests:

* nobody writes outside its own slot (and the label, and that only while it is not in order), so the
  pages of other nodes and the rest of each chip stay byte for byte as they were;
* a token has one owner, and unless a test cuts the bus (`kit.cut = True`), no node acts with a
  token lower than one that was acted with before.
"""

from proof.decode import Format

from eecluster import Cluster
from eecluster_sim import World

PART = "AT24C128"  # like the AT24C256C, three address pins too, but half the bytes to compare
PATTERN = bytes(range(251)) * 262


class Kit:
    """So many boards and chips. `options` go to every `Cluster`.

    owned     chip i shares the supply of board i     cut        nodes may be primary side by side
    chips     the EEPROMs                             boards     the boards
    beats     node -> Status of its last heartbeat    published  (node, token) of every duty done
    """

    def __init__(
        self,
        boards=2,
        eeproms=None,
        part=PART,
        base=0,
        seed=1,
        owned=False,
        driver="softi2c",
        **options,
    ):
        eeproms = boards if eeproms is None else eeproms
        self.world = World(seed)
        self.boards = [self.world.add_board(node=i, driver=driver) for i in range(boards)]
        self.chips = []
        for k in range(eeproms):
            owner = self.boards[k] if owned and k < boards else None
            self.chips.append(self.world.add_eeprom(part, 0x50 + k, owner))
        kind = self.chips[0].part
        self.options = {
            "nodes": boards,
            "size": kind.size,
            "page_size": kind.page,
            "base": base,
        }
        self.options.update(options)
        quorum = options.get("quorum")
        self.format = Format(
            self.options["nodes"],
            eeproms,
            self.options["page_size"],
            base,
            options.get("cluster_id", 0),
            eeproms > 2 if quorum is None else quorum == "majority",
        )
        for chip in self.chips:
            self.blank(chip)
        self.beats = {}
        self.published = []
        self.cut = False
        self.owners = {}  # token -> the node that acted with it
        self.highest = 0
        self._writers = []  # per running call: who may have written, for calls within calls

    # Chips

    def blank(self, chip):
        """A new chip: the cluster's pages blank, a pattern in the rest."""
        size = chip.part.size
        chip.load(PATTERN[:size])
        f = self.format
        chip.data[f.base : f.end] = b"\xff" * (f.end - f.base)

    def images(self):
        """The contents of all chips."""
        return [bytes(chip.data) for chip in self.chips]

    def restore(self, images):
        """Put the contents back."""
        for chip, image in zip(self.chips, images):
            chip.load(image)
            chip.busy_until_ns = 0

    def newest(self, node):
        """The newest record of a node on all chips as a dict, or None."""
        best = None
        for k, chip in enumerate(self.chips):
            found = self.format.newest(chip.data, k, node)
            if found and (best is None or found["revision"] > best["revision"]):
                best = found
        return best

    def patch(self, node, **fields):
        """Change fields in every valid copy of a node's slot (`seq`: its own sequence)."""
        for k, chip in enumerate(self.chips):
            for copy in (0, 1):
                if self.format.slot(chip.data, k, node, copy):
                    self.format.patch(chip.data, k, node, copy, **fields)

    # Calls

    def cluster(self, node, **options):
        """A new `Cluster` object, as after each wake."""
        board = self.boards[node]
        arguments = {
            "eeproms": [0x50 + k for k in range(len(self.chips))],
            "node_id": node,
            "uid": board.uid,
            "clock": board.clock,
            "timer": board.timer,
        }
        arguments.update(self.options)
        arguments.update(options)
        return Cluster(arguments.pop("i2c", board.make_i2c), **arguments)

    def run(self, node, fn, *args):
        """Run fn(*args) as one wake of a board, check the promises. None if it lost its supply."""
        before = self.images()
        counts = [chip.page_writes for chip in self.chips]
        writers = {node}
        self._writers.append(writers)
        try:
            return self.boards[node].wake(fn, *args)
        finally:
            self._writers.pop()
            if self._writers:
                self._writers[-1].update(writers)
            self._check_pages(before, counts, writers)

    def wake(self, node, duty=None, done=True, beat=True, **options):
        """One wake: look, do the duty if primary and confirmed, beat. The Status of the look.

        `duty(cluster, status)` is called between confirmation and beat, by the primary only. The
        supply may fail in it (`board.crash_at`): None.
        """
        self.world.advance_s(10)
        return self.run(node, self._wake, node, duty, done, beat, options)

    def _wake(self, node, duty, done, beat, options):
        cluster = self.cluster(node, **options)
        status = cluster.health_check()
        if status.is_primary and cluster.confirm():
            self.act(node, status.token)
            if duty:
                duty(cluster, status)
        if beat:
            self.beats[node] = cluster.heartbeat(done)
        return status

    def call(self, node, name, *args, **options):
        """One call of the library on a new `Cluster` in a wake of its own."""
        self.world.advance_s(10)
        return self.run(node, lambda: getattr(self.cluster(node, **options), name)(*args))

    def act(self, node, token):
        """The duty of a confirmed primary: its message reaches a consumer."""
        assert self.owners.setdefault(token, node) == node, "token %d has two owners" % token
        if not self.cut:
            assert token >= self.highest, "token %d after %d" % (token, self.highest)
        self.highest = max(self.highest, token)
        self.published.append((node, token))

    def rounds(self, count, nodes=None):
        """Every node of `nodes` wakes in turn, `count` times. The last Status of each, a dict."""
        last = {}
        for _ in range(count):
            for node in range(len(self.boards)) if nodes is None else nodes:
                last[node] = self.wake(node)
        return last

    def settled(self, nodes=None):
        """One more round in which exactly one node is primary and all agree on it: its id."""
        last = self.rounds(1, nodes)
        leaders = [node for node in last if last[node].is_primary]
        assert len(leaders) == 1, leaders
        assert [s.primary for s in last.values()] == leaders * len(last), last
        return leaders[0]

    def between(self, node, n, fn):
        """Run fn once, before the n-th transaction from now (0: the next) of this board."""
        self.world.scheduler = _Between(self.world, self.boards[node], n, fn)

    # What must hold

    def _check_pages(self, before, counts, writers):
        f = self.format
        for k, chip in enumerate(self.chips):
            if chip.page_writes == counts[k]:
                continue
            old, new = memoryview(before[k]), memoryview(chip.data)
            at = 0
            for node in sorted(writers):
                start = f.address(node, 0)
                self._same(k, old, new, at, start)
                at = start + 2 * f.copy_size
            self._same(k, old, new, at, len(old))

    def _same(self, k, old, new, start, end):
        if start < self.format.base + self.format.page:  # with the label: may it be written?
            after_label = self.format.base + self.format.page
            if not self.format.label_is_good(old, k):
                self._same_bytes(k, old, new, start, self.format.base)
                start = after_label
        self._same_bytes(k, old, new, start, end)

    def _same_bytes(self, k, old, new, start, end):
        if old[start:end] != new[start:end]:
            for at in range(start, end):
                assert old[at] == new[at], "chip %d: byte %d is not this node's" % (k, at)


class _Between:
    """Stands in for the scheduler of the world: somebody else's turn at one chosen moment."""

    def __init__(self, world, board, n, fn):
        self.world = world
        self.board = board
        self.left = n
        self.fn = fn

    def before_transaction(self, board):
        if board is not self.board:
            return
        self.left -= 1
        if self.left < 0:
            self.world.scheduler = None
            self.fn()

    def after_sleep(self, board):
        pass
