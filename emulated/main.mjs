// The front door: node emulated/main.mjs FIRMWARE SEED PREPARED [STEP ...], after prepare.py.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Judge, Stopped } from './judge.mjs';
import { Board } from './machine/board.mjs';
import { readFirmware } from './machine/firmware.mjs';
import { randomFrom } from './random.mjs';
import { report } from './report.mjs';
import { contests } from './steps/contests.mjs';
import { cuts } from './steps/cuts.mjs';
import { heap } from './steps/heap.mjs';
import { wakes } from './steps/wakes.mjs';
import { walkthrough } from './steps/walkthrough.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const STEPS = { walkthrough, wakes, heap, contests, cuts };

class Lab {
  constructor(firmware, prepared) {
    const read = (name) => JSON.parse(fs.readFileSync(path.join(prepared, name)));
    this.prepared = prepared;
    this.firmware = readFirmware(firmware);
    this.bootRom = new Uint32Array(read('bootrom.json'));
    this.session = read('walkthrough.json');
    this.first = read('first.json');
    this.judge = new Judge();
    this.figures = {};
    this.images = {};
  }

  // A new board with what is on one of the images.
  board(name, image, options) {
    this.images[image] ??= fs.readFileSync(path.join(this.prepared, `${image}.img`));
    const parts = { bootRom: this.bootRom, firmware: this.firmware, files: this.images[image] };
    return new Board(String(name), parts, options);
  }

  // What is typed into a board.
  program(name) {
    return fs.readFileSync(path.join(HERE, 'boards', `${name}.py`), 'utf-8');
  }

  progress(done, all, what) {
    if (!process.stdout.isTTY) return;
    process.stdout.write(`\r\x1b[K  ${this.step}: ${done} of ${all} ${what}`);
  }
}

function main([firmware, seed, prepared, ...only]) {
  const names = only.length ? only : Object.keys(STEPS);
  const unknown = names.filter((name) => !(name in STEPS));
  if (unknown.length)
    return fail(`no step ${unknown.join(', ')}: there are ${Object.keys(STEPS).join(', ')}`);
  if (!/^\d+$/.test(seed)) return fail(`SEED=${seed} is no number`);
  let lab;
  try {
    lab = new Lab(firmware, prepared);
  } catch (error) {
    return fail(error.message);
  }
  console.log(`emulated: ${firmware}, seed ${seed}`);
  names.forEach((name, k) => {
    const { cpu_s, wall_s } = stopwatch();
    lab.step = `${k + 1}/${names.length} ${name}`;
    lab.judge.step = name;
    if (!process.stdout.isTTY) console.log(`  ${lab.step} ...`);
    lab.random = randomFrom(Number(seed) * 1000 + Object.keys(STEPS).indexOf(name));
    let outcome;
    try {
      outcome = STEPS[name](lab);
    } catch (error) {
      outcome = 'stopped at a fault';
      if (!(error instanceof Stopped)) lab.judge.fault(error.message);
    }
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
    console.log(`  ${lab.step}: ${outcome} (${cpu_s()} s of CPU, ${wall_s()} s)`);
  });
  console.log(report(lab.figures));
  const replay = `make emulated FIRMWARE=${firmware} SEED=${seed}`;
  const { faults } = lab.judge;
  if (!faults.length) return console.log(`no faults. Again: ${replay}`);
  for (const { step, sentence } of faults) console.log(`FAULT in ${step}: ${sentence}`);
  const faulty = names.filter((name) => faults.some(({ step }) => step === name));
  fail(`replay: ${replay} ONLY="${faulty.join(' ')}"`);
}

function fail(sentence) {
  console.log(sentence);
  process.exitCode = 1;
}

function stopwatch() {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const cpu_s = () => {
    const { user, system } = process.cpuUsage(cpu);
    return ((user + system) / 1e6).toFixed(1);
  };
  return { cpu_s, wall_s: () => ((performance.now() - wall) / 1000).toFixed(1) };
}

main(process.argv.slice(2));
