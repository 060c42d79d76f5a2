// What must not happen, and who sees it: from the wires and the chips, not from what boards say.
import { PAGE, PAGES, copies, isLabel, ownerOfPage, ownerOfToken, slot } from './records.mjs';

// The step has a fault, and what follows from it would only hide it.
export class Stopped extends Error {}

export class Judge {
  constructor() {
    this.step = ''; // in which of them we are
    this.faults = []; // {step, sentence}
  }

  fault(sentence) {
    if (!this.faults.some((fault) => fault.sentence === sentence))
      this.faults.push({ step: this.step, sentence });
  }

  // Where a step can end: go on only if it had no fault yet.
  check() {
    if (this.faults.some(({ step }) => step === this.step)) throw new Stopped('stopped at a fault');
  }

  // A line of the README's session and what a board printed.
  compare(node, code, want, got) {
    if (got === want) return;
    const line = code.trim().split('\n')[0];
    const texts = `\n  README: ${want}\n  board:  ${got}`;
    this.fault(`the walkthrough differs: board ${node}: ${line}${texts}`);
  }
}

// Who has the lock, and who pulls the bus without having it.
export class Holders {
  constructor(judge, where) {
    Object.assign(this, { judge, where, names: new Set(), turns: 0, doubles: 0 });
  }

  took(name, at_ns) {
    this.turns++;
    if (this.names.size) {
      this.doubles++;
      const others = [...this.names].join(', ');
      const what = `board ${name} got the lock ${at(at_ns)} while ${others} had it`;
      this.judge.fault(`a double holder: ${this.where}: ${what}`);
    }
    this.names.add(name);
  }

  letGo(name) {
    this.names.delete(name);
  }

  // Boards that pull one of these wires while somebody else has the lock. Chips may.
  watch(...wires) {
    for (const wire of wires)
      wire.onPull = (who, at_ns) => {
        if (!who.isBoard || !this.names.size || this.names.has(who.name)) return;
        const holder = [...this.names].join(', ');
        const what = `board ${who.name} pulled ${wire.name} ${at(at_ns)}`;
        this.judge.fault(`a double holder: ${this.where}: ${what} while ${holder} had the lock`);
      };
  }
}

// What is written to the chips of a cluster. `awake`: the node whose board runs, alone.
export class Pages {
  constructor(judge, chips, nodes) {
    Object.assign(this, { judge, chips, nodes, awake: null, cut: false });
    chips.forEach((chip, place) => {
      chip.onWrite = (address, bytes, at_ns) => this.written(place, address, bytes, at_ns);
    });
  }

  written(place, address, bytes, at_ns) {
    const page = Math.floor(address / PAGE);
    const owner = ownerOfPage(page);
    const what =
      `a corrupt byte: node ${this.awake} wrote ${bytes.length} bytes at ${address} ` +
      `of EEPROM ${place} ${at(at_ns)}, which is `;
    const fits = address + bytes.length <= (page + 1) * PAGE;
    if (!fits || owner === null || (owner >= 0 && owner !== this.awake))
      this.judge.fault(`${what}not its page`);
    else if (!this.cut && !this.intact(owner, place, address, bytes))
      this.judge.fault(`${what}no ${owner < 0 ? 'label' : 'record'}`);
  }

  // What the page holds afterwards.
  intact(owner, place, address, bytes) {
    const start = address % PAGE;
    const page = this.chips[place].memory.slice(address - start, address - start + PAGE);
    page.set(bytes, start);
    if (owner < 0) return isLabel(page, place);
    return slot(page, owner, place, this.nodes) !== null;
  }

  // When nobody is awake: nothing outside of the cluster, each node's record on each chip, and one
  // primary by what the nodes said last, the one with the highest token. `roles`: {node: role}.
  rest(when, roles) {
    const tokens = [];
    const corrupt = (what) => this.judge.fault(`a corrupt byte: ${what} ${when}`);
    this.chips.forEach(({ memory }, place) => {
      if (memory.subarray(PAGES * PAGE).some((byte) => byte !== 0xff))
        corrupt(`EEPROM ${place} has one outside of the cluster`);
      for (let node = 0; node < 8; node++) {
        const from = (1 + 2 * node) * PAGE;
        const blank = memory.subarray(from, from + 2 * PAGE).every((byte) => byte === 0xff);
        const records = copies(memory, node, place, this.nodes);
        tokens.push(...records.map((record) => record.token));
        if (node >= this.nodes && !blank)
          corrupt(`EEPROM ${place} has one in the slot of node ${node}`);
        if (node in roles && !records.length)
          corrupt(`EEPROM ${place} has no intact record of node ${node}`);
      }
    });
    const primaries = Object.keys(roles).filter((node) => roles[node] === 'primary');
    const owner = tokens.length ? ownerOfToken(Math.max(...tokens)) : null;
    if (primaries.length !== 1)
      this.judge.fault(`${primaries.length} primaries ${when}: ${JSON.stringify(roles)}`);
    else if (Number(primaries[0]) !== owner)
      this.judge.fault(
        `node ${primaries[0]} is primary ${when}, and the highest token node ${owner}'s`,
      );
  }
}

function at(at_ns) {
  return `at ${(at_ns / 1e6).toFixed(3)} ms`;
}
