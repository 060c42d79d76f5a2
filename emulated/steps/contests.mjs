// Boards that all want the lock at the same time, with clocks that are wrong and collections in
// the middle. Each tells by a pin of its own when it has the lock; the wires and the chip tell
// whether that is so.
import { Chip } from '../machine/chip.mjs';
import { Holders } from '../judge.mjs';
import { Wire } from '../machine/wire.mjs';
import { World } from '../machine/world.mjs';

const STEP_NS = 1000; // less than any call of a pin takes
const GPIO = { scl: 22, sda: 21, busy: 18 };
const HAS_IT = 15;
const CHIP = 0x50;
const WRITE_MS = 1;
const LIMIT_MS = 60_000;
export const BYTES = 32;

// `collect_ms`: a Timer collects so often, a heap with `objects`, which takes some 15 ms. To get a
// lock, a contender needs some time without a pause: 12 ms for BusyLine, 49 ms for BusArbitration.
const CONTESTS = [
  { lock: 'BusyLine', boards: 2, rounds: 8 },
  { lock: 'BusyLine', boards: 4, rounds: 4 },
  { lock: 'BusyLine', boards: 3, rounds: 4, collect_ms: 61, objects: 1500 },
  { lock: 'BusArbitration', boards: 2, rounds: 4 },
  { lock: 'BusArbitration', boards: 4, rounds: 2 },
  { lock: 'BusArbitration', boards: 3, rounds: 2, collect_ms: 151, objects: 1500 },
];

export function contests(lab) {
  const arena = new Arena(lab);
  lab.figures.contests = [];
  CONTESTS.forEach((contest, k) => {
    lab.progress(k, CONTESTS.length, `contests, ${contest.lock} with ${contest.boards} boards`);
    lab.figures.contests.push(arena.play({ collect_ms: 0, objects: 0, ...contest }));
    lab.judge.check();
  });
  const turns = lab.figures.contests.reduce((sum, row) => sum + row.turns, 0);
  return `${CONTESTS.length} contests, ${turns} turns`;
}

class Arena {
  constructor(lab) {
    this.lab = lab;
    this.world = new World();
    this.wires = { scl: new Wire('SCL'), sda: new Wire('SDA'), busy: new Wire('the busy line') };
    this.chip = new Chip(CHIP, this.wires.scl, this.wires.sda, WRITE_MS);
    const most = Math.max(...CONTESTS.map(({ boards }) => boards));
    this.all = Array.from({ length: most }, (_, k) => lab.board(k, 'library', { uid: k + 1 }));
    for (const board of this.all) {
      this.world.add(board);
      for (const name in this.wires) this.wires[name].join(board, GPIO[name]);
      board.mcu.gpio[HAS_IT].addListener((state) => {
        if (state === 1) this.holders.took(board.name, board.now_ns);
        else this.holders.letGo(board.name);
      });
    }
    this.holders = new Holders(lab.judge, 'before the contests');
    this.world.boot(this.all);
    this.world.exec(this.all, this.all.map(() => lab.program('contender')));
  }

  play({ lock, boards: count, rounds, collect_ms, objects }) {
    const { lab, world } = this;
    const boards = this.all.slice(0, count);
    world.boards = boards; // the others stand still
    const ids = shuffled([0, 1, 2, 3, 4, 5, 6, 7], lab.random).slice(0, count);
    const rates = boards.map((_, k) => [1.05, 0.95][k] ?? 0.95 + 0.1 * lab.random());
    boards.forEach((board, k) => this.moveTo(board, rates[k]));
    const where = `${lock}, nodes ${ids.join(' ')}` + (collect_ms ? ', collections' : '');
    this.holders = new Holders(lab.judge, where);
    this.holders.watch(this.wires.scl, this.wires.sda);
    this.chip.onWrite = (address, bytes, at_ns) => {
      if (!isContenders(address, bytes, ids))
        lab.judge.fault(
          `a corrupt byte: ${where}: ${bytes.length} bytes at ${address} of the EEPROM ` +
            `at ${(at_ns / 1e6).toFixed(3)} ms`,
        );
    };
    world.step_ns = STEP_NS;
    const calls = ids.map((id) => {
      const seed = lab.random.below(65536);
      return `contend(${id}, "${lock}", ${rounds}, ${seed}, ${collect_ms}, ${objects})`;
    });
    const printed = world.exec(boards, calls, LIMIT_MS);
    const lines = printed.map((line) => line.split(' ').map(Number));
    return this.sum({ lock, count, where }, lines);
  }

  // A board that stood still goes on now, with a clock that runs at another rate.
  moveTo(board, rate) {
    board.offset_ns += this.world.now_ns - board.now_ns;
    board.setRate(rate);
  }

  sum({ lock, count, where }, lines) {
    const { judge } = this.lab;
    const total = (column) => lines.reduce((sum, line) => sum + line[column], 0);
    const most = (column) => Math.max(...lines.map((line) => line[column]));
    const [HAD, GAVE_UP, BAD, WAIT_US, PAUSES, PAUSE_US] = [0, 1, 2, 3, 4, 5];
    if (total(GAVE_UP)) judge.fault(`a give-up: ${where}: ${total(GAVE_UP)} times not had in 3 s`);
    if (total(BAD)) judge.fault(`a corrupt byte: ${where}: ${total(BAD)} times read back wrong`);
    for (const wire of Object.values(this.wires))
      if (wire.drivenHigh.length) judge.fault(`${where}: ${wire.name} was driven high`);
    return {
      lock,
      boards: count,
      turns: total(HAD),
      doubles: this.holders.doubles,
      wait_ms: most(WAIT_US) / 1000,
      pauses: total(PAUSES),
      pause_ms: most(PAUSE_US) / 1000,
    };
  }
}

// A contender writes to a page of its own, what follows from its id and a number.
export function isContenders(address, bytes, ids) {
  const id = bytes[0];
  return (
    ids.includes(id) &&
    address === (8 + id) * 64 &&
    bytes.length === BYTES &&
    bytes.every((byte, i) => i < 2 || byte === ((id * 37 + bytes[1] + i * 5) & 0xff))
  );
}

function shuffled(items, random) {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}
