// An AT24C256 on two wires, bit by bit: 32 KiB in pages of 64 bytes, and deaf while it writes.
//
// Made anew from the data sheet and not from the simulator of the project, so that a mistake there
// is not repeated here.
const PAGE = 64;

export class Chip {
  constructor(address, scl, sda, write_ms = 5) {
    Object.assign(this, { address, scl, sda, write_ns: write_ms * 1e6 });
    this.memory = new Uint8Array(32768).fill(0xff);
    this.onWrite = null; // (address of the first byte, bytes, time): before they are stored
    this.torn = 0; // pages
    this.busyUntil_ns = -1;
    this.pending = null; // the page before a write that is not over
    this.pointer = 0;
    this.reset();
    for (const wire of [scl, sda]) wire.listeners.push((at_ns) => this.look(at_ns));
  }

  reset() {
    this.state = 'idle'; // idle, control, data, read, deaf (until the next START)
    this.bits = 0; // of this byte, its acknowledge included
    this.shift = 0;
    this.received = 0;
    this.bytes = [];
    this.clock = this.scl.level;
    this.data = this.sda.level;
  }

  // Its supply goes. A page that is being written holds anything: old, new, or erased.
  losePower(at_ns, random) {
    if (this.pending && at_ns < this.busyUntil_ns) {
      const { at, before } = this.pending;
      this.torn++;
      for (let i = 0; i < PAGE; i++) {
        const choices = [before[i], this.memory[at + i], 0xff];
        this.memory[at + i] = choices[Math.floor(random() * choices.length)];
      }
    }
    this.pending = null;
    this.busyUntil_ns = -1;
    this.pull(false, at_ns);
    this.reset();
  }

  pull(low, at_ns) {
    this.sda.pull(this, low, at_ns);
  }

  look(at_ns) {
    const [clock, data] = [this.clock, this.data];
    this.clock = this.scl.level;
    this.data = this.sda.level;
    if (clock && this.clock) {
      if (data && !this.data) this.start();
      if (!data && this.data) this.stop(at_ns);
    } else if (this.state === 'idle' || this.state === 'deaf') {
      return;
    } else if (this.clock && !clock) {
      if (this.bits < 8) this.shift = ((this.shift << 1) | this.data) & 0xff;
      else this.refused = this.data; // in a read: the master wants no more
      this.bits++;
    } else if (clock && !this.clock) {
      this.clockFell(at_ns);
    }
  }

  start() {
    this.state = 'control';
    this.bits = this.shift = this.received = 0;
    this.bytes = [];
  }

  stop(at_ns) {
    this.pull(false, at_ns);
    // after its acknowledge a byte is whole; the STOP itself clocks one bit of the next
    if (this.state === 'data' && this.bytes.length && this.bits <= 1) this.store(at_ns);
    this.state = 'idle';
  }

  store(at_ns) {
    const page = this.pointer & -PAGE;
    if (this.onWrite) this.onWrite(this.pointer, this.bytes, at_ns);
    this.pending = { at: page, before: this.memory.slice(page, page + PAGE) };
    for (const byte of this.bytes) {
      this.memory[this.pointer] = byte;
      this.pointer = page | ((this.pointer + 1) % PAGE); // more than a page wraps in it
    }
    this.bytes = [];
    this.busyUntil_ns = at_ns + this.write_ns;
  }

  clockFell(at_ns) {
    if (this.state === 'read') {
      if (this.bits === 8) this.pull(false, at_ns);
      else if (this.bits === 9 && this.refused) this.state = 'deaf';
      else {
        if (this.bits === 9) this.fetch();
        this.offer(at_ns);
      }
    } else if (this.bits === 8) {
      if (this.heard(at_ns)) this.pull(true, at_ns);
      else this.state = 'deaf';
    } else if (this.bits === 9) {
      this.pull(false, at_ns);
      this.bits = this.shift = 0;
      if (this.state === 'control') {
        this.state = this.reading ? 'read' : 'data';
        if (this.reading) {
          this.fetch();
          this.offer(at_ns);
        }
      }
    }
  }

  // A byte has arrived: is it acknowledged?
  heard(at_ns) {
    if (this.state === 'control') {
      this.reading = this.shift & 1;
      return this.shift >> 1 === this.address && at_ns >= this.busyUntil_ns;
    }
    if (this.received++ < 2) this.pointer = ((this.pointer << 8) | this.shift) & 0x7fff;
    else this.bytes.push(this.shift);
    return true;
  }

  fetch() {
    this.byte = this.memory[this.pointer];
    this.pointer = (this.pointer + 1) & 0x7fff;
    this.bits = 0;
  }

  offer(at_ns) {
    this.pull(!((this.byte >> (7 - this.bits)) & 1), at_ns);
  }
}
