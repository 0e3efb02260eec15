// Zip archives: stored and deflated members without encryption, zip64 included. The directory at the end is read first, then
// members one at a time. Every size is checked against the archive before anything is allocated, and every content against
// its checksum. Specification: PKWARE's APPNOTE. Must not know: what the members mean.

import { type ByteSource, bytesSource } from '../byte-source.js';
import { crc32 } from './crc32.js';
import { type Fault, faultOf } from './fault.js';
import { MOST_RATIO } from './gzip.js';

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END_64_BYTES = 56;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MOST_COMMENT = 0xffff;

/** A file in an archive, by its entry in the directory. */
export interface ZipMember {
  readonly name: string;
  readonly isDeflated: boolean;
  /** Undefined: it has none, and is not checked. */
  readonly crc: number | undefined;
  readonly compressed: number;
  /** Bytes when it is unpacked. */
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
  const source = bytesSource(bytes, path);
  const members = await readDirectory(source);
  const total = members.reduce((sum, { size }) => sum + size, 0);
  if (total > maxBytes) faultOf('zip', path)(`its files have ${total} bytes, more than maxBytes (${maxBytes})`, 0);
  const files = new Map<string, Uint8Array>();
  for (const member of members) files.set(member.name, await readMember(source, member));
  return files;
}

/** What an archive holds, in its order. Throws FormatError where that is more than the bytes can hold, or a name is there twice. */
export async function readDirectory(source: ByteSource): Promise<ZipMember[]> {
  const fault = faultOf('zip', source.name);
  const { count, start, length } = await findDirectory(source, fault);
  const bytes = await source.read(start, start + length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > length || view.getUint32(at, true) !== CENTRAL)
      fault(`entry ${i} of ${count} is missing`, start + at);
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const next = at + CENTRAL_BYTES + nameLength + extra + comment;
    if (next > length) fault(`entry ${i} of ${count} is cut`, start + at);
    const extraAt = at + CENTRAL_BYTES + nameLength;
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, extraAt));
    if ((flags & 1) !== 0) fault(`'${name}' is encrypted`, start + at + 8);
    if (method !== 0 && method !== 8)
      fault(`'${name}' is compressed by method ${method}, not by deflate`, start + at + 10);
    const { compressed, size, local } = sizesOf(view, at, extraAt, extra, () => fault(`'${name}' is cut`, start + at));
    if (method === 0 && compressed !== size) fault(`'${name}' is stored, but its two sizes differ`, start + at + 20);
    if (size > MOST_RATIO * compressed)
      fault(`${compressed} bytes cannot hold the ${size} of '${name}'`, start + at + 24);
    if (members.has(name)) fault(`there are two files '${name}'`, start + at);
    const crc = view.getUint32(at + 16, true);
    members.set(name, { name, isDeflated: method === 8, crc, compressed, size, at: local });
    at = next;
  }
  const all = [...members.values()];
  const total = all.reduce((sum, { size }) => sum + size, 0);
  if (total > MOST_RATIO * source.size) fault(`${source.size} bytes cannot hold the claimed ${total}`, 0);
  return all;
}

/** The two sizes and the offset of an entry; those that do not fit 32 bits stand in its extra field 1 (zip64). */
function sizesOf(
  view: DataView,
  at: number,
  extraAt: number,
  extra: number,
  cut: () => never,
): { compressed: number; size: number; local: number } {
  const [compressed, size, local] = [20, 24, 42].map((o) => view.getUint32(at + o, true));
  const isLong = (value: number): boolean => value === 0xffffffff;
  if (![compressed, size, local].some(isLong)) return { compressed, size, local };
  let field = extraAt;
  while (field + 4 <= extraAt + extra && view.getUint16(field, true) !== 1)
    field += 4 + view.getUint16(field + 2, true);
  let place = field + 4;
  const long = (value: number): number => {
    if (!isLong(value)) return value;
    if (place + 8 > extraAt + extra) return cut();
    place += 8;
    return Number(view.getBigUint64(place - 8, true));
  };
  const whole = long(size); // in this order
  return { size: whole, compressed: long(compressed), local: long(local) };
}

/** The end record is the last one whose comment reaches to the end of the file; before it may stand that of zip64. */
async function findDirectory(
  source: ByteSource,
  fault: Fault,
): Promise<{ count: number; start: number; length: number }> {
  const first = Math.max(0, source.size - END_BYTES - MOST_COMMENT - LOCATOR_BYTES);
  const bytes = await source.read(first, source.size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - END_BYTES;
  while (
    end >= 0 &&
    !(view.getUint32(end, true) === END && end + END_BYTES + view.getUint16(end + 20, true) === bytes.length)
  )
    end--;
  if (end < 0)
    fault('there is no directory of an archive at the end, where one has to be: the file may be cut off', source.size);
  let [count, length, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  let limit = first + end;
  const locator = end - LOCATOR_BYTES;
  if (locator >= 0 && view.getUint32(locator, true) === LOCATOR_64) {
    const at = Number(view.getBigUint64(locator + 8, true));
    if (at + END_64_BYTES > first + locator)
      fault('the end record of zip64 is not where it should be', first + locator);
    const record = await source.read(at, at + END_64_BYTES);
    const long = new DataView(record.buffer, record.byteOffset, record.byteLength);
    if (long.getUint32(0, true) !== END_64) fault('the end record of zip64 is not where it should be', at);
    [count, length, start] = [32, 40, 48].map((o) => Number(long.getBigUint64(o, true)));
    limit = at;
  }
  if (start + length > limit) fault(`the directory (${length} bytes from ${start}) overlaps its end`, limit);
  return { count, start, length };
}

/** The content of a member: of a stored one a view where the archive lies in memory. Throws FormatError. */
export async function readMember(source: ByteSource, member: ZipMember): Promise<Uint8Array> {
  const { name, compressed, size, crc } = member;
  const fault = faultOf('zip', source.name);
  const start = await contentStart(source, member, fault);
  const data = await source.read(start, start + compressed);
  let content = data;
  if (member.isDeflated) {
    const { inflateSync } = await import('fflate');
    try {
      content = inflateSync(data, { out: new Uint8Array(size) });
    } catch (error) {
      fault(`'${name}' cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`, start);
    }
  }
  if (content.length !== size || (crc !== undefined && !verified.has(member) && crc32(content) !== crc))
    fault(`'${name}' does not match its checksum`, start);
  if (!member.isDeflated) verified.add(member);
  return content;
}

/** Stored members whose checksum was right once: it is not computed again. */
const verified = new WeakSet<ZipMember>();

/** Throws FormatError where the content of a member does not match its checksum, or cannot be unpacked. */
export async function verifyMember(source: ByteSource, member: ZipMember): Promise<void> {
  if (!verified.has(member)) await readMember(source, member);
}

async function contentStart(source: ByteSource, { name, at, compressed }: ZipMember, fault: Fault): Promise<number> {
  if (at + LOCAL_BYTES > source.size) fault(`'${name}' does not begin here`, at);
  const bytes = await source.read(at, at + LOCAL_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== LOCAL) fault(`'${name}' does not begin here`, at);
  const start = at + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + compressed > source.size) fault(`'${name}' goes beyond the end`, source.size);
  return start;
}
