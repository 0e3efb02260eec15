// Zip archives, as far as npz files need them: stored and deflated files without encryption. Every size is checked against
// the archive before anything is allocated, and every content against its checksum.
// Bytes in, contents by name out. Specification: PKWARE's APPNOTE. Must not know: what the files mean.

import { crc32 } from './crc32.js';
import { type Fault, faultOf } from './fault.js';
import { MOST_RATIO } from './gzip.js';

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;

interface Entry {
  readonly name: string;
  readonly isDeflated: boolean;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  /** Where its local header is. */
  readonly at: number;
}

/**
 * All files of an archive, in its order; `path` is for messages. Throws FormatError, also where they claim more than
 * `maxBytes` together, before any is unpacked.
 */
export async function parseZip(
  bytes: Uint8Array,
  path?: string,
  maxBytes = Infinity,
): Promise<Map<string, Uint8Array>> {
  const fault = faultOf('zip', path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(bytes, view, fault);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > MOST_RATIO * bytes.length) fault(`${bytes.length} bytes cannot hold the claimed ${total}`, 0);
  if (total > maxBytes) fault(`its files have ${total} bytes, more than maxBytes (${maxBytes})`, 0);
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (files.has(entry.name)) fault(`there are two files '${entry.name}'`, entry.at);
    files.set(entry.name, await readEntry(bytes, view, entry, fault));
  }
  return files;
}

function readDirectory(bytes: Uint8Array, view: DataView, fault: Fault): Entry[] {
  const end = findEnd(view, fault);
  const [count, length, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  if (start + length > end) fault(`the directory (${length} bytes from ${start}) overlaps its end`, end);
  const entries: Entry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL)
      fault(`entry ${i} of ${count} is missing`, at);
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    if (at + CENTRAL_BYTES + nameLength + extra + comment > end) fault(`entry ${i} of ${count} is cut`, at);
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength));
    if ((flags & 1) !== 0) fault(`'${name}' is encrypted`, at + 8);
    if (method !== 0 && method !== 8) fault(`'${name}' is compressed by method ${method}, not by deflate`, at + 10);
    const [crc, compressed, size] = [16, 20, 24].map((o) => view.getUint32(at + o, true));
    if (method === 0 && compressed !== size) fault(`'${name}' is stored, but its two sizes differ`, at + 20);
    if (size > MOST_RATIO * compressed) fault(`${compressed} bytes cannot hold the ${size} of '${name}'`, at + 24);
    entries.push({ name, isDeflated: method === 8, crc, compressed, size, at: view.getUint32(at + 42, true) });
    at += CENTRAL_BYTES + nameLength + extra + comment;
  }
  return entries;
}

/** The end record: the last one whose comment reaches to the end of the file. */
function findEnd(view: DataView, fault: Fault): number {
  const first = Math.max(0, view.byteLength - END_BYTES - 0xffff);
  for (let at = view.byteLength - END_BYTES; at >= first; at--) {
    if (view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength)
      return at;
  }
  return fault('there is no directory of an archive at the end', view.byteLength);
}

async function readEntry(bytes: Uint8Array, view: DataView, entry: Entry, fault: Fault): Promise<Uint8Array> {
  const { name, at, compressed, size } = entry;
  if (at + LOCAL_BYTES > bytes.length || view.getUint32(at, true) !== LOCAL) fault(`'${name}' does not begin here`, at);
  const start = at + LOCAL_BYTES + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (start + compressed > bytes.length) fault(`'${name}' goes beyond the end`, bytes.length);
  const data = bytes.subarray(start, start + compressed);
  let content = data;
  if (entry.isDeflated) {
    const { inflateSync } = await import('fflate');
    try {
      content = inflateSync(data, { out: new Uint8Array(size) });
    } catch (error) {
      fault(`'${name}' cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`, start);
    }
  }
  if (content.length !== size || crc32(content) !== entry.crc) fault(`'${name}' does not match its checksum`, start);
  return content;
}
