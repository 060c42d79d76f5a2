// The session of the README on two boards, on machine.I2C, and what importing the library costs.
import { Chip } from '../machine/chip.mjs';
import { HardwareI2C } from '../machine/i2c.mjs';
import { Wire } from '../machine/wire.mjs';
import { World } from '../machine/world.mjs';

const SCL_GPIO = 5;
const SDA_GPIO = 4;

export function walkthrough(lab) {
  const world = new World();
  const [scl, sda] = [new Wire('SCL'), new Wire('SDA')];
  for (const address of [0x50, 0x51]) new Chip(address, scl, sda);
  const boards = [0, 1].map((node) => world.add(lab.board(node, 'library', { uid: node + 1 })));
  for (const board of boards) {
    scl.join(board, SCL_GPIO);
    sda.join(board, SDA_GPIO);
    new HardwareI2C(board, scl, sda);
  }
  world.boot(boards);
  const [setUp] = world.exec(boards, boards.map(() => lab.program('walkthrough')));
  const [version, megahertz, import_ms, heap, free] = setUp.split('\n');
  Object.assign(lab.figures, { version, megahertz, import_ms: Number(import_ms), heap, free });

  lab.session.forEach(({ node, code, want }, k) => {
    lab.progress(k, lab.session.length, 'lines');
    const [got] = world.exec([boards[node]], [code]);
    lab.judge.compare(node, code, want, got);
    lab.judge.check();
  });
  return `${lab.session.length} lines as in the README`;
}
