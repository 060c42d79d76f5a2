// Power cuts in the middle of a wake: at a random change of the board's pins, the same with the
// board's EEPROM, or while that is writing. Then the other board wakes, and this one again.
import { First } from './first.mjs';

const CUTS = 9;
const WRITING_US = 4500; // a little less than the one write that each wake has

export function cuts(lab) {
  const { random, judge } = lab;
  const first = new First(lab);
  const moves = {};
  for (const node of [0, 1, 0, 1]) {
    first.when = 'before the cuts';
    moves[node] = first.wake(node).moves;
  }
  first.pages.rest('before the cuts', first.roles);
  let cut = 0;
  for (let k = 0; k < CUTS; k++) {
    lab.progress(k, CUTS, 'cuts');
    const node = random.below(2);
    const [what, how] = plan(k, node, moves[node], first.chips[node], random);
    first.when = what;
    cut += first.wake(node, how).end === 'cut';
    for (const next of [1 - node, node]) {
      first.when = `after ${what}`;
      moves[next] = first.wake(next).moves;
    }
    first.pages.rest(`after ${what}`, first.roles);
    judge.check();
  }
  if (!cut) judge.fault('no wake was cut: they are shorter than expected');
  const torn = first.chips.reduce((sum, chip) => sum + chip.torn, 0);
  return `${cut} power cuts, ${torn} torn pages, ${2 * CUTS} wakes after them`;
}

// What the sentence of a fault calls it, and what First.wake wants.
function plan(k, node, moves, chip, random) {
  const name = `cut ${k + 1}, of node ${node}`;
  const backwards = random() < 0.5;
  if (k % 3 === 2) {
    const writing_us = random.below(WRITING_US);
    return [`${name} and its EEPROM in a write`, { writing_us, chip, backwards }];
  }
  const atMove = 1 + random.below(moves);
  const supply = k % 3 ? ' and its EEPROM' : '';
  return [
    `${name}${supply} at change ${atMove} of its pins`,
    { atMove, chip: supply ? chip : null, backwards },
  ];
}
