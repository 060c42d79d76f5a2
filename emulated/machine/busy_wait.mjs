// MicroPython 1.28 waits in sleep_us by asking the time in a tight loop, in which nothing else
// happens: most of an emulated board's instructions. Skipping it changes no figure (`SKIP=0` runs
// it). Other versions wait otherwise, or are compiled otherwise: then nothing is skipped.
//
//     loop: bl time_us_64 / cmp HIGH, r1 / bhi loop / bne out / cmp LOW, r0 / bhi loop
const BEFORE_END_NS = 1500;
const FLASH_AT = 0x10000000;
const NEVER = { at: -1, skip() {} };
const found = new WeakMap();

export function findBusyWait(firmware) {
  if (process.env.SKIP === '0') return NEVER;
  if (!found.has(firmware)) found.set(firmware, search(firmware));
  return found.get(firmware);
}

function search(firmware) {
  const code = new Uint16Array(firmware.buffer, firmware.byteOffset, firmware.length >> 1);
  const compares = (word, second) => (word & 0xffc0) === 0x4280 && ((word >> 3) & 7) === second;
  for (let i = 2; i + 5 < code.length; i++) {
    if (code[i + 1] !== 0xd8fb || code[i + 2] !== 0xd101 || code[i + 4] !== 0xd8f8) continue;
    if (!compares(code[i], 1) || !compares(code[i + 3], 0)) continue;
    return new BusyWait(FLASH_AT + 2 * (i - 2), code[i] & 7, code[i + 3] & 7);
  }
  return NEVER;
}

class BusyWait {
  constructor(at, high, low) {
    Object.assign(this, { at, high, low });
  }

  // To a little before the end, or to what interrupts it: an alarm, or the end of this turn.
  skip(core, clock, target) {
    const { registers } = core;
    const end = (registers[this.high] * 2 ** 32 + registers[this.low]) * 1000 - BEFORE_END_NS;
    const alarm = clock.nextAlarm ? clock.nextAlarm.nanos - 1 : Infinity;
    const to = Math.min(end, target - 100, alarm);
    if (to > clock.nanosCounter) clock.tick(to - clock.nanosCounter);
  }
}
