// The RP2040's I2C controller, which rp2040js leaves open, on two wires: bit by bit, 400 kHz.
const HALF_BIT_NS = 1250;
const TX_EMPTY = 1 << 4;
const READ = 1; // I2CMode.Read of rp2040js

export class HardwareI2C {
  constructor(board, scl, sda, number = 0) {
    Object.assign(this, { board, scl, sda, device: board.mcu.i2c[number], acknowledged: false });
    this.alarm = board.clock.createAlarm(() => this.step());
    const device = this.device;
    device.onStart = () => this.run(this.start(), () => device.completeStart());
    device.onConnect = (address, mode) =>
      this.run(this.send((address << 1) | (mode === READ ? 1 : 0)), () => this.connected());
    device.onWriteByte = (byte) =>
      this.run(this.send(byte), () => device.completeWrite(this.acknowledged));
    device.onReadByte = (more) =>
      this.run(this.receive(more), () => device.completeRead(this.byte));
    device.onStop = () => this.run(this.stop(), () => device.completeStop());
  }

  connected() {
    this.device.completeConnect(this.acknowledged);
    // the flushed FIFO is empty; the firmware waits for that bit, 50 ms if it does not come
    if (!this.acknowledged) this.device.setInterrupts(TX_EMPTY);
  }

  // Each `yield` of `bits` lasts half a bit.
  run(bits, done) {
    this.bits = bits;
    this.done = done;
    this.step();
  }

  step() {
    if (this.bits.next().done) this.done();
    else this.alarm.schedule(HALF_BIT_NS);
  }

  pull(wire, low) {
    wire.pull(this, low, this.board.now_ns);
  }

  *start() {
    this.pull(this.sda, false);
    yield;
    this.pull(this.scl, false);
    while (!this.scl.level || !this.sda.level) yield; // somebody else has the bus
    yield;
    this.pull(this.sda, true);
    yield;
    this.pull(this.scl, true);
  }

  *bit(high) {
    this.pull(this.sda, !high);
    yield;
    this.pull(this.scl, false);
    yield;
    const seen = this.sda.level;
    this.pull(this.scl, true);
    return seen;
  }

  *send(byte) {
    for (let bit = 7; bit >= 0; bit--) yield* this.bit((byte >> bit) & 1);
    this.acknowledged = !(yield* this.bit(true));
  }

  *receive(more) {
    this.byte = 0;
    for (let bit = 7; bit >= 0; bit--) this.byte = (this.byte << 1) | (yield* this.bit(true));
    yield* this.bit(!more);
  }

  *stop() {
    this.pull(this.sda, true);
    yield;
    this.pull(this.scl, false);
    yield;
    this.pull(this.sda, false);
    yield;
  }
}
