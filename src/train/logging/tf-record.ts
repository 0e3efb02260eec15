// The framing of TFRecord files: length, checksum of the length, data, checksum of the data. A reader stops at a record
// that is cut off, which is all that a crash can leave. Checksums are CRC-32C (Castagnoli), masked, since data that
// contains checksums of itself is awkward.

import { concat } from '../../io/formats/protobuf.js';

/** Of each byte, for the reflected polynomial 0x1EDC6F41. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One record of a TFRecord file. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(head.subarray(0, 8)), true);
  const foot = new Uint8Array(4);
  new DataView(foot.buffer).setUint32(0, maskedCrc(data), true);
  return concat([head, data, foot]);
}
