// Tar archives: the plain files in them, as views of the archive.
// Bytes in, contents by name out. Specification: POSIX ustar. Must not know: what the files mean.

import { faultOf } from '../../io/formats/fault.js';

const BLOCK = 512;

/** All plain files of an archive; folders, links and extended headers are left out. Throws FormatError. */
export function parseTar(bytes: Uint8Array, path?: string): Map<string, Uint8Array> {
  const fault = faultOf('tar', path);
  const files = new Map<string, Uint8Array>();
  const text = (from: number, length: number): string => {
    const field = bytes.subarray(from, from + length);
    const end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  };
  const octal = (from: number, length: number, what: string): number => {
    const digits = text(from, length).trim();
    return /^[0-7]+$/.test(digits)
      ? Number.parseInt(digits, 8)
      : fault(`the ${what} '${digits}' is no octal number`, from);
  };
  for (let at = 0; at < bytes.length;) {
    if (at + BLOCK > bytes.length) fault('the last header is cut', bytes.length);
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break; // the end
    const sum = header.reduce((a, byte, i) => a + (i >= 148 && i < 156 ? 0x20 : byte), 0);
    if (octal(at + 148, 8, 'checksum') !== sum) fault('a header does not match its checksum', at + 148);
    const size = octal(at + 124, 12, 'size');
    const start = at + BLOCK;
    if (start + size > bytes.length) fault(`a file of ${size} bytes goes beyond the end`, bytes.length);
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    const type = bytes[at + 156];
    if (type === 0 || type === 0x30) {
      files.set(`${prefix && `${prefix}/`}${text(at, 100)}`, bytes.subarray(start, start + size));
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
