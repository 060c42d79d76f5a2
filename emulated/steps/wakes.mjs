// Wakes of examples/first on blank chips: the first one of each node, then steady ones.
import { First } from './first.mjs';

const ROUNDS = 4; // of a wake of each node; the first two announce who joined

export function wakes(lab) {
  const first = new First(lab);
  const nodes = [0, 1];
  const found = [];
  for (let round = 0; round < ROUNDS; round++)
    for (const node of nodes) {
      lab.progress(found.length, ROUNDS * nodes.length, 'wakes');
      first.when = `wake ${round + 1} from blank chips`;
      found.push(first.wake(node));
    }
  first.pages.rest('after the wakes', first.roles);
  lab.judge.check();
  lab.figures.wakes = [
    ['first wake, blank chips, primary', found[0].ms],
    ['first wake of the standby', found[1].ms],
    ['steady primary', found.at(-2).ms],
    ['steady standby', found.at(-1).ms],
  ];
  return `${found.length} wakes from flash, each to its deep sleep`;
}
