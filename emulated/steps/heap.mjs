// A board alone on the wire, with more and more on its heap: does it get the locks, and how long is
// it from its last look at the line to its pull?
//
// The fault behind this: a frame that is too large for the stack is allocated, and a full heap made
// that so slow, between the look and the pull, that a board alone was late again and again.
import { Wire } from '../machine/wire.mjs';
import { World } from '../machine/world.mjs';

const OBJECTS = [0, 100, 150, 800, 2000];
const GPIO = { scl: 22, sda: 21, busy: 18 };

export function heap(lab) {
  const world = new World();
  const wires = { scl: new Wire('SCL'), sda: new Wire('SDA'), busy: new Wire('the busy line') };
  const board = world.add(lab.board(0, 'library'));
  for (const name in wires) wires[name].join(board, GPIO[name]);
  board.watchLooks();
  let pulls = []; // us from the look before, of each pull of this acquire
  for (const wire of [wires.busy, wires.sda])
    wire.onPull = (who, at_ns) => pulls.push((at_ns - board.lastLook_ns) / 1000);

  world.boot([board]);
  world.exec([board], [lab.program('heap')]);
  lab.figures.heapTable = [];
  OBJECTS.forEach((objects, k) => {
    const row = [objects];
    lab.progress(k, OBJECTS.length, 'sizes of the heap');
    for (const lock of ['BusyLine', 'BusArbitration']) {
      pulls = [];
      const [line] = world.exec([board], [`measure("${lock}", ${objects})`]);
      const [had, us, late] = line.split(' ');
      if (had !== 'True')
        lab.judge.fault(
          `a give-up without contention: ${lock} with ${objects} live objects: ` +
            `not had in ${us} us, late ${late} times`,
        );
      row.push(pulls.length ? pulls[0] : NaN, Number(us) / 1000);
    }
    lab.figures.heapTable.push(row);
  });
  return `${OBJECTS.length} sizes of the heap, ${2 * OBJECTS.length} locks taken`;
}
