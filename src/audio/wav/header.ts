// The head of a WAV file: chunks behind "RIFF", of which "fmt " says what a sample is and "data" holds the samples. What the head claims is
// compared with the bytes that are there before anything is allocated.

import type { ByteSource } from '../../io/byte-source.js';
import { FormatError } from '../../tensor/library.js';
import { ENCODINGS, type WavEncoding, encodingOf } from './encodings.js';

export interface WavInfo {
  /** Samples a second, of each channel. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples of each channel. */
  readonly frames: number;
  readonly seconds: number;
  readonly encoding: WavEncoding;
}

export interface WavHeader extends WavInfo {
  /** Where the samples begin, in bytes. */
  readonly start: number;
}

interface Format {
  readonly encoding: WavEncoding;
  readonly channels: number;
  readonly sampleRate: number;
}

/** A size of a writer that does not know the end yet: the samples go to the end of the file. */
const UNKNOWN = 0xffffffff;
const EXTENSIBLE = 0xfffe;
/** What follows the format tag in the sixteen bytes of an extended format. */
const GUID_REST = '000000001000800000aa00389b71';

class HeaderReader {
  private readonly op: string;
  private readonly source: ByteSource;

  constructor(op: string, source: ByteSource) {
    this.op = op;
    this.source = source;
  }

  async header(): Promise<WavHeader> {
    const { source } = this;
    if (source.size < 12) throw this.fault('is no WAV file', 0);
    const head = await source.read(0, 12);
    const kind = textOf(head, 0);
    if (kind === 'RIFX' || kind === 'RF64') throw this.fault(`is a WAV file of the kind ${kind}, which is not read`, 0);
    if (kind !== 'RIFF' || textOf(head, 8) !== 'WAVE') throw this.fault('is no WAV file', 0);
    let format: Format | undefined;
    for (let at = 12; at + 8 <= source.size;) {
      const chunk = await source.read(at, at + 8);
      const [name, size] = [textOf(chunk, 0), viewOf(chunk).getUint32(4, true)];
      const begin = at + 8;
      if (name === 'data') return this.withData(format, begin, size);
      if (begin + size > source.size)
        throw this.fault(`ends within the chunk '${printable(name)}' of ${size} bytes`, at);
      if (name === 'fmt ') format = await this.format(begin, size);
      at = begin + size + (size % 2);
    }
    throw this.fault(format === undefined ? 'has no format' : 'has no samples', source.size);
  }

  private withData(format: Format | undefined, start: number, size: number): WavHeader {
    if (format === undefined) throw this.fault('has samples before their format', start - 8);
    const { encoding, channels, sampleRate } = format;
    const rest = this.source.size - start;
    const frame = ENCODINGS[encoding].bytes * channels;
    const bytes = size === UNKNOWN ? rest - (rest % frame) : size;
    if (bytes > rest) throw this.fault(`ends after ${rest} of ${bytes} bytes of samples`, this.source.size);
    if (bytes % frame !== 0)
      throw this.fault(`has ${bytes} bytes of samples, which are no whole frames of ${frame}`, start - 4);
    const frames = bytes / frame;
    return { ...format, frames, seconds: frames / sampleRate, start };
  }

  private async format(begin: number, size: number): Promise<Format> {
    if (size < 16) throw this.fault(`has a format of ${size} bytes, which need 16`, begin - 4);
    const bytes = await this.source.read(begin, begin + Math.min(size, 40));
    const view = viewOf(bytes);
    let tag = view.getUint16(0, true);
    const [channels, sampleRate, frame] = [view.getUint16(2, true), view.getUint32(4, true), view.getUint16(12, true)];
    const bits = view.getUint16(14, true);
    if (tag === EXTENSIBLE) {
      if (bytes.length < 40) throw this.fault(`has an extended format of ${size} bytes, which needs 40`, begin - 4);
      tag = view.getUint16(24, true);
      if (hexOf(bytes.subarray(26, 40)) !== GUID_REST) throw this.fault('has a format of an unknown maker', begin + 24);
    }
    if (channels === 0) throw this.fault('has no channels', begin + 2);
    if (sampleRate === 0) throw this.fault('has a sample rate of 0', begin + 4);
    const sample = Math.ceil(bits / 8);
    if (bits === 0 || frame !== sample * channels)
      throw this.fault(`has frames of ${frame} bytes for ${channels} samples of ${bits} bits`, begin + 12);
    const encoding = encodingOf(tag, sample);
    if (encoding === undefined)
      throw this.fault(
        `has samples of ${bits} bits in format ${tag}. Read are whole numbers of 8 to 32 bits (1), floats of 32 and 64 (3), A-law (6) and µ-law (7)`,
        begin,
      );
    return { encoding, channels, sampleRate };
  }

  private fault(what: string, offset: number): FormatError {
    return new FormatError(`${this.op}: ${this.source.name ?? 'the source'} ${what}.`, this.source.name, offset);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

function textOf(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
}

/** A name of a damaged file may hold anything. */
const printable = (name: string): string => name.replaceAll(/[^\x20-\x7e]/g, '?');

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

/** Throws FormatError for what is no WAV file, or a damaged one. */
export function readHeader(op: string, source: ByteSource): Promise<WavHeader> {
  return new HeaderReader(op, source).header();
}
