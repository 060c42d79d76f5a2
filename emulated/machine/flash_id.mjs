// The unique id of a board is that of its flash chip, which rp2040js does not have: all boards
// would be the same one. This answers the one command that asks for it (4Bh, W25Q16JV data sheet).
const DR0 = 0x60;
const READ_UNIQUE_ID = 0x4b;
const DUMMIES = 4;

export function giveFlashId(mcu, id) {
  const ssi = mcu.peripherals[0x18000];
  const [read, write] = [ssi.readUint32.bind(ssi), ssi.writeUint32.bind(ssi)];
  let sent = -1; // bytes since the command, -1: another one
  let answers = [];
  ssi.writeUint32 = (offset, value) => {
    if (offset === DR0) {
      if (sent < 0 && (value & 0xff) === READ_UNIQUE_ID) sent = 0;
      if (sent >= 0) {
        answers.push(sent > DUMMIES ? id[sent - DUMMIES - 1] : 0);
        if (++sent > DUMMIES + id.length) sent = -1;
      }
    }
    write(offset, value);
  };
  ssi.readUint32 = (offset) =>
    offset === DR0 && answers.length ? answers.shift() : read(offset);
}
