// The checksum of zip, gzip and PNG (CRC-32 of ISO 3309). Eight bytes at a time: there is a table for a byte that has 0 to 7 others
// behind it.

const TABLES = makeTables();

function makeTables(): Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value;
  });
  const tables = [first];
  for (let i = 1; i < 8; i++) tables.push(tables[i - 1].map((value) => first[value & 0xff] ^ (value >>> 8)));
  return tables;
}

/** Node's own, where it has one: several times as fast. */
const { process } = globalThis as { process?: NodeJS.Process };
const zlib = process?.getBuiltinModule?.('node:zlib') as { crc32?: (bytes: Uint8Array) => number } | undefined;

export function crc32(bytes: Uint8Array): number {
  return zlib?.crc32?.(bytes) ?? portableCrc32(bytes);
}

/** Exported for its test. */
export function portableCrc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const whole = bytes.length - (bytes.length % 8);
  let crc = 0xffffffff;
  let i = 0;
  for (; i < whole; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    crc =
      t7[low & 0xff] ^
      t6[(low >>> 8) & 0xff] ^
      t5[(low >>> 16) & 0xff] ^
      t4[low >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
