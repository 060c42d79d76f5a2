// What the library writes, decoded anew from docs/protocol.md, so that a mistake in layout.py
// cannot hide from the judge.
export const PAGE = 64;
export const PAGES = 17; // a label, and two for each of eight nodes
const LABEL_SIZE = 20;

// CRC-32 as in zlib, `start` the one of what comes before.
export function crc32(bytes, start = 0) {
  let crc = ~start;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function number(bytes, at) {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

// Is that the label of EEPROM number `place`?
export function isLabel(bytes, place) {
  return (
    bytes.length >= LABEL_SIZE &&
    Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'eecl' &&
    bytes[7] === place &&
    number(bytes, 16) === crc32(bytes.subarray(0, 16))
  );
}

// {node, revision, token} of an intact slot of `node` on EEPROM number `place`, or null.
export function slot(bytes, node, place, nodes, clusterId = 0) {
  const size = 48 + 2 * nodes;
  if (bytes.length < size || bytes[16] !== ((node << 4) | place)) return null;
  const seeded = crc32([node], clusterId);
  const crc = crc32(bytes.subarray(17, size), crc32(bytes.subarray(0, 12), seeded));
  if (number(bytes, 12) !== crc) return null;
  return { node, revision: number(bytes, 4), token: number(bytes, 8) };
}

// Whose page is that? -1: the label; null: nobody's, it is outside of the cluster.
export function ownerOfPage(page) {
  if (page >= PAGES) return null;
  return page === 0 ? -1 : (page - 1) >> 1;
}

// The intact copies of a node's slot on a chip.
export function copies(memory, node, place, nodes) {
  return [1, 2]
    .map((copy) => (2 * node + copy) * PAGE)
    .map((at) => slot(memory.subarray(at, at + PAGE), node, place, nodes))
    .filter((record) => record);
}

// The node that may claim a token.
export function ownerOfToken(token) {
  return 7 - (token & 7);
}
