/** The checksums of packed data. */

let crcTables: Uint32Array | undefined;

/** Table `k` gives the CRC of a byte followed by `k` zero bytes. */
function crcTable(): Uint32Array {
  if (crcTables === undefined) {
    crcTables = new Uint32Array(4 * 256);
    for (let byte = 0; byte < 256; byte += 1) {
      let crc = byte;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
      crcTables[byte] = crc;
    }
    for (let i = 256; i < crcTables.length; i += 1) {
      const before = crcTables[i - 256]!;
      crcTables[i] = (before >>> 8) ^ crcTables[before & 0xff]!;
    }
  }
  return crcTables;
}

/**
 * CRC-32 as ZIP, gzip and PNG have it (ISO 3309), four bytes a step.
 *
 * @param before the checksum of the bytes before these, to go on from.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const table = crcTable();
  let crc = before ^ 0xffffffff;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      table[768 + (crc & 0xff)]! ^
      table[512 + ((crc >>> 8) & 0xff)]! ^
      table[256 + ((crc >>> 16) & 0xff)]! ^
      table[crc >>> 24]!;
  }
  for (; i < bytes.length; i += 1) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
