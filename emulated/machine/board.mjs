// A Pico: firmware and files in its flash, a clock that may be wrong, and one life, which ends in
// deep sleep, by its watchdog, or by a power cut. A wake or a reset is a new board.
import { ConsoleLogger, LogLevel, RP2040 } from 'rp2040js';
import { findBusyWait } from './busy_wait.mjs';
import { FILES_AT } from './firmware.mjs';
import { giveFlashId } from './flash_id.mjs';
import { quicken } from './ram.mjs';
import { Serial } from './serial.mjs';

const BOOT_AT = 0x10000000;
const WATCHDOG = 0x40058;
const GPIO_IN = 4;

export class Board {
  // parts: {bootRom, firmware, files}. rate: 1.05 has a clock that is 5 % fast.
  constructor(name, parts, { rate = 1, born_ns = 0, uid = 1 } = {}) {
    Object.assign(this, { name, rate, born_ns, offset_ns: born_ns, isBoard: true });
    this.mcu = new RP2040();
    this.clock = this.mcu.clock;
    this.mcu.logger = new ConsoleLogger(LogLevel.Error, false);
    this.mcu.loadBootrom(parts.bootRom);
    this.mcu.flash.set(parts.firmware, 0);
    this.mcu.flash.set(parts.files, FILES_AT);
    this.mcu.core.PC = BOOT_AT;
    quicken(this.mcu);
    giveFlashId(this.mcu, [0xe6, 0x60, 0x58, 0x38, 0x83, 0, 0, uid]);
    this.serial = new Serial(this.mcu);
    this.busyWait = findBusyWait(parts.firmware);
    this.wires = [];
    this.moves = 0; // of its pins, on wires
    this.cutAtMove = Infinity;
    this.lastLook_ns = null;
    this.end = null; // 'asleep', 'watchdog', 'reset', 'cut'
    this.cycle_ns = 1e9 / this.mcu.clkSys;
    this.mcu.addClockListener((hertz) => (this.cycle_ns = 1e9 / hertz));
    const watchdog = this.mcu.peripherals[WATCHDOG];
    watchdog.onWatchdogTrigger = () => {
      watchdog.timer.enable = false;
      this.end ??= watchdog.reason === 1 ? 'watchdog' : 'reset';
    };
  }

  // The world's time, and for how long this board has been running by it.
  get now_ns() {
    return this.offset_ns + this.clock.nanosCounter / this.rate;
  }

  get age_ms() {
    return (this.now_ns - this.born_ns) / 1e6;
  }

  // From now on its clock is wrong by another rate.
  setRate(rate) {
    const now_ns = this.now_ns;
    this.rate = rate;
    this.offset_ns = now_ns - this.clock.nanosCounter / rate;
  }

  // Remember when it looked at its pins last.
  watchLooks() {
    const { sio } = this.mcu;
    const read = sio.readUint32.bind(sio);
    sio.readUint32 = (offset) => {
      if (offset === GPIO_IN) this.lastLook_ns = this.now_ns;
      return read(offset);
    };
  }

  moved() {
    if (++this.moves >= this.cutAtMove) this.end ??= 'cut';
  }

  run(until_ns) {
    const { clock, mcu, busyWait } = this;
    const { core } = mcu;
    const target = (until_ns - this.offset_ns) * this.rate;
    while (clock.nanosCounter < target && !this.end) {
      if (core.waiting) {
        // In deep sleep the processor waits with the crystal as its clock: the PLLs are off. The
        // firmware resets the board when that is over.
        if (mcu.clkSys === mcu.xoscFreq) {
          this.end = 'asleep';
          return;
        }
        const next = clock.nanosToNextAlarm;
        const rest = target - clock.nanosCounter;
        clock.tick(next > 0 ? Math.min(next, rest) : rest);
      } else {
        if (core.PC === busyWait.at) busyWait.skip(core, clock, target);
        const then = clock.nanosCounter + core.executeInstruction() * this.cycle_ns;
        if (clock.nextAlarm && clock.nextAlarm.nanos <= then) clock.tick(then - clock.nanosCounter);
        else clock.nanosCounter = then;
      }
    }
    this.serial.pump();
  }

  // Off its wires. `backwards`: which of them is free first decides whether the chips see a STOP.
  unplug(backwards = false) {
    const wires = backwards ? this.wires.reverse() : this.wires;
    for (const wire of wires) wire.leave(this, this.now_ns);
    this.wires = [];
  }
}
