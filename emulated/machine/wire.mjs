// A wire with a pull-up: low if anybody pulls it. Who drives it high is remembered: a short circuit
// with who pulls it.
export class Wire {
  constructor(name) {
    this.name = name;
    this.level = true;
    this.pullers = new Set();
    this.pins = new Map(); // of each board, to tell it the level
    this.listeners = []; // called with the time of each change, in ns
    this.onPull = null; // (who, time): somebody begins to pull, whatever the level
    this.drivenHigh = []; // names of boards
  }

  // A board's pin. `board.moved(this)` hears of every change that this board makes.
  join(board, gpio) {
    const pin = board.mcu.gpio[gpio];
    this.pins.set(board, pin);
    pin.setInputValue(this.level);
    pin.addListener((state) => {
      if (!this.pins.has(board)) return;
      if (state === 1) this.drivenHigh.push(board.name);
      this.pull(board, state === 0, board.now_ns);
      board.moved();
    });
    board.wires.push(this);
  }

  leave(board, at_ns) {
    this.pins.delete(board);
    this.pull(board, false, at_ns);
  }

  pull(who, low, at_ns) {
    if (low) {
      if (this.onPull && !this.pullers.has(who)) this.onPull(who, at_ns);
      this.pullers.add(who);
    } else this.pullers.delete(who);
    const level = this.pullers.size === 0;
    if (level === this.level) return;
    this.level = level;
    for (const pin of this.pins.values()) pin.setInputValue(level);
    for (const listener of this.listeners) listener(at_ns);
  }
}
