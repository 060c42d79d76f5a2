// A firmware file as the user downloads it (UF2), and the flash of a Pico made of it.
import fs from 'node:fs';

const BLOCK = 512;
const MAGIC = 0x0a324655;
const RP2040_FAMILY = 0xe48bff56;
const FLASH_AT = 0x10000000;
export const FILES_AT = 0xa0000; // a Pico's littlefs: the last 1408 KiB of its 2 MiB

// The bytes from the beginning of flash on. Throws a sentence for who took the wrong file.
export function readFirmware(path) {
  const file = fs.readFileSync(path);
  if (file.length === 0 || file.length % BLOCK || file.readUInt32LE(0) !== MAGIC)
    throw new Error(`${path} is no UF2 file`);
  const flash = new Uint8Array(FILES_AT).fill(0xff);
  for (let at = 0; at < file.length; at += BLOCK) {
    const address = file.readUInt32LE(at + 12) - FLASH_AT;
    const size = file.readUInt32LE(at + 16);
    if (file.readUInt32LE(at + 28) !== RP2040_FAMILY)
      throw new Error(`${path} is not for the RP2040: take the one for the board RPI_PICO`);
    if (address < 0 || address + size > FILES_AT)
      throw new Error(`${path} does not leave a Pico's place for files: take that for RPI_PICO`);
    flash.set(file.subarray(at + 32, at + 32 + size), address);
  }
  return flash;
}
