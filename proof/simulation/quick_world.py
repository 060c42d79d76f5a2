"""The world of the long runs: boards, chips and a bus, as the simulator has them, made quick.

Rule: what happens on the bus is what `eecluster_sim` does. A transfer for which nothing special is
planned takes a short way here, with the same result and the same time on the wires; all others take
the simulator's own. Each write is shown to a watcher before and after it is stored. Stands on
eecluster_sim.
"""

from eecluster_sim.board import Board, Timer
from eecluster_sim.bus import Bus
from eecluster_sim.chip import Eeprom
from eecluster_sim.i2c import I2C
from eecluster_sim.world import World

FIRST = 0x50
_NACK_BITS = 11
_READ_BITS = 9 * 4 + 12  # two address bytes, and a repeated START
_WRITE_BITS = 9 * 3 + 2


class Place(Eeprom):
    """Chip `number` of the cluster, at first at the place of that number on the bus. What is
    plugged in instead of it may change.

    alien      not the cluster's: nobody may write to it    drawer  what was taken out, or None
    saved      an old image of it, or None
    """

    def __init__(self, world, part, number):
        super().__init__(part, FIRST + number, world.random.fork())
        self.world = world
        self.number = number
        self.alien = False
        self.drawer = None
        self.saved = None

    def store(self, memaddr, buf, stop_ns):
        world = self.world
        if len(buf):
            world.watcher.writes(world.writer, self, memaddr, buf)
            super().store(memaddr, buf, stop_ns)
            if not self.write_protect and self.fault is None:
                world.watcher.written(world.writer, self, memaddr)
        else:
            super().store(memaddr, buf, stop_ns)


class QuickI2C(I2C):
    """An I2C object that knows a short way."""

    def long_way(self, board, world):
        """Is something planned, or wrong? Others go first if it is their turn."""
        if board.special or board.armed or world.stuck or self.life != board.life:
            return True
        if world.scheduler is not None:
            world.scheduler.before_transaction(board)
            return board.armed or world.stuck or self.life != board.life
        return False

    def begin(self, addr, board, world):
        """The chip that answers, and when the transfer begins; ``OSError`` if none answers."""
        bus = board.bus
        now_ns = bus.free_at_ns
        if now_ns < world.now_ns:
            now_ns = world.now_ns
        chip = bus.by_address[addr]
        board.stats.transactions += 1
        if (
            now_ns < chip.busy_until_ns
            or not (chip.plugged and chip.powered)
            or addr in board.unreachable
        ):
            bus.free_at_ns = world.now_ns = now_ns + _NACK_BITS * self.bit_ns
            raise OSError(self.driver.nack)
        return chip, now_ns

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        board = self.board
        world = board.world
        if self.long_way(board, world):
            return self._transfer(addr, memaddr, addrsize >> 3, None, buf)
        chip, now_ns = self.begin(addr, board, world)
        n = len(buf)
        board.bus.free_at_ns = world.now_ns = now_ns + (_READ_BITS + 9 * n) * self.bit_ns
        if chip.fault is None:
            buf[:] = chip.data[memaddr : memaddr + n]
        else:
            chip.fetch(memaddr, buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        board = self.board
        world = board.world
        if addr in board.weak:
            buf = buf[:5]
        if self.long_way(board, world):
            return self._transfer(addr, memaddr, addrsize >> 3, buf, None)
        chip, now_ns = self.begin(addr, board, world)
        end_ns = now_ns + (_WRITE_BITS + 9 * len(buf)) * self.bit_ns
        board.bus.free_at_ns = world.now_ns = end_ns
        world.writer = board
        chip.store(memaddr, buf, end_ns)

    def _run(self, *plain):
        self.board.world.writer = self.board
        return super()._run(*plain)

    def _faulty(self, *plain):
        self.board.world.writer = self.board
        return super()._faulty(*plain)


class QuickBus(Bus):
    def make_i2c(self, board, freq, driver):
        i2c = QuickI2C(board, freq)
        i2c.driver = driver
        return i2c


class QuickTimer(Timer):
    """The short way for the calls that each wake makes."""

    def sleep_us(self, us):
        board = self._board
        if board.special or board.world.scheduler is not None:
            board.pause(us * 1000)
        else:
            board.world.now_ns += us * 1000

    def ticks_us(self):
        board = self._board
        if board.special or board.world.scheduler is not None:
            return super().ticks_us()
        world = board.world
        ticks = (world.now_ns - board.boot_ns) // 1000 & 0x3FFFFFFF
        world.now_ns += 1000
        return ticks


class QuickBoard(Board):
    """A board of the quick world.

    special   something is planned for this wake that only the long way sees
    hang      (transaction from now on, seconds): there it stops for that long
    at_claim  (attribute, value) to set when it begins to write a claim
    doomed    its supply will fail in this wake
    weak      addresses of chips that its writes reach in part only
    tried     the token it has begun to claim
    floor     the highest confirmed token when its confirmation began
    """

    def __init__(self, world, node, drift_ppm):
        self.special = False
        self.hang = None
        self.at_claim = []
        self.doomed = False
        self.weak = ()
        self.tried = ()
        self.floor = 0
        super().__init__(world, node, "softi2c", 400000, 0.0, None)
        self.drift_ppm = drift_ppm
        self.timer = QuickTimer(self)


class QuickWorld(World):
    """places, boards; `stuck`: the bus is."""

    def __init__(self, watcher, nodes, eeproms, drifts_ppm, owned, part):
        super().__init__(1)
        self.bus: QuickBus = QuickBus()  # type: ignore[assignment]
        self.watcher = watcher
        self.writer: QuickBoard = None  # type: ignore[assignment]
        self.stuck = False
        self.hung_ns = 0  # how long boards have hung, all of them
        self.pause_at = lambda board, seconds: None  # what happens while a board hangs
        self.boards = [QuickBoard(self, node, drifts_ppm[node]) for node in range(nodes)]
        self.places = [self.bus.add(Place(self, part, k)) for k in range(eeproms)]
        for place in self.places[:nodes]:
            if owned:
                place.owner = self.boards[place.number]

    def transaction(self, board, duration_ns):
        if board.hang is not None:
            n, seconds = board.hang
            board.hang = (n - 1, seconds)
            if n <= 0:
                board.hang = None
                self.hang(board, seconds)
        return super().transaction(board, duration_ns)

    def hang(self, board, seconds):
        """The board stops here for so long; what else happens then is `pause_at`'s."""
        start_ns = self.now_ns
        self.pause_at(board, seconds)
        self.hung_ns += self.now_ns - start_ns
