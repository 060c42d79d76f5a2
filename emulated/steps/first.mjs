// Boards with examples/first, by turns on one bus. Each wake is a boot from flash with an empty
// RAM, as after deep sleep.
import { Chip } from '../machine/chip.mjs';
import { Wire } from '../machine/wire.mjs';
import { World } from '../machine/world.mjs';
import { Pages } from '../judge.mjs';

const STEP_NS = 100_000; // a board alone: nobody to be in step with
const LIMIT_MS = 15_000; // its watchdog ends a wake after 8 s

export class First {
  constructor(lab) {
    const { eeproms, nodes } = lab.first;
    this.lab = lab;
    this.world = new World(STEP_NS);
    this.wires = { scl: new Wire('SCL'), sda: new Wire('SDA'), busy: new Wire('the busy line') };
    const { scl, sda } = this.wires;
    this.chips = eeproms.map((address) => new Chip(address, scl, sda));
    this.pages = new Pages(lab.judge, this.chips, nodes);
    this.roles = {}; // by node, as it said last
  }

  // {end, ms, moves, text, role}. `cut`: {atMove, chip, writing_us, backwards}: the supply goes at
  // that change of the board's pins, and with it that chip's; or after it has been writing so long.
  wake(node, cut = null) {
    const { world, wires, lab } = this;
    const born_ns = world.now_ns;
    const board = world.add(lab.board(node, `node${node}`, { born_ns, uid: node + 1 }));
    wires.scl.join(board, lab.first.scl);
    wires.sda.join(board, lab.first.sda);
    wires.busy.join(board, lab.first.lock);
    if (cut?.atMove) board.cutAtMove = cut.atMove;
    let left_ns = (cut?.writing_us ?? Infinity) * 1000;
    const over = () => {
      if (cut?.chip && cut.chip.busyUntil_ns > world.now_ns) left_ns -= STEP_NS;
      if (left_ns < 0) board.end ??= 'cut';
      return board.end !== null;
    };
    this.pages.awake = node;
    world.run(over, LIMIT_MS);
    this.pages.cut = board.end === 'cut';
    if (this.pages.cut && cut.chip) cut.chip.losePower(board.now_ns, lab.random);
    world.remove(board, cut?.backwards);
    this.pages.cut = false;
    const text = board.serial.text.replaceAll('\r', '').trim();
    const found = { end: board.end, ms: board.age_ms, moves: board.moves, text };
    if (board.end !== 'cut') this.judge(node, found);
    lab.judge.check();
    world.sleep(1000);
    return found;
  }

  judge(node, found) {
    const { judge } = this.lab;
    const who = `node ${node}, ${this.when}`;
    const said = JSON.stringify(found.text.slice(-400));
    if (found.end !== 'asleep')
      judge.fault(`a wake without an end: ${who}: ${found.end ?? 'still awake'}; it said ${said}`);
    if (/lock_(stuck|late)/.test(found.text))
      judge.fault(`a give-up without contention: ${who} announces it: ${said}`);
    if (/Traceback/.test(found.text)) judge.fault(`an exception: ${who}: ${said}`);
    for (const wire of Object.values(this.wires))
      if (wire.drivenHigh.length) judge.fault(`${who} drove ${wire.name} high`);
    found.role = found.text.match(new RegExp(`node ${node}: (\\w+)`))?.[1] ?? 'none';
    this.roles[node] = found.role;
  }
}
