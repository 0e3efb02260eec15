// Waveforms as WAV files.

import { absolutePath } from '../../io/path.js';
import { refusal } from '../../io/system-reasons.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkOptions,
  checkWhole,
  formatShape,
} from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { signalOf } from '../check.js';
import { ENCODINGS, type WavEncoding } from './encodings.js';

export interface WriteWavOptions {
  /** Default 'pcm16'. */
  readonly encoding?: WavEncoding;
}

const OPTIONS: OptionNames<WriteWavOptions> = { encoding: true };

/**
 * The bytes of a WAV file of a waveform [samples] or [channels, samples]. Whole numbers are rounded, and what lies beyond −1 … 1 is cut off;
 * what was read from a file of the same encoding is written as it was. Reads the waveform.
 *
 *     const bytes = await encodeWav(waveform, 16000);
 */
export async function encodeWav(
  waveform: AnyTensor,
  sampleRate: number,
  options: WriteWavOptions = {},
): Promise<Uint8Array> {
  return encoded('encodeWav', waveform, sampleRate, options);
}

/** `encodeWav` into a file, which is replaced as a whole. Node only. torchaudio: save. */
export async function saveWav(
  path: string,
  waveform: AnyTensor,
  sampleRate: number,
  options: WriteWavOptions = {},
): Promise<void> {
  const absolute = absolutePath(path, 'saveWav'); // of the working directory at the call
  const bytes = await encoded('saveWav', waveform, sampleRate, options);
  const { writeFileAtomic } = await import('../../io/node/files.js');
  await writeFileAtomic(absolute, bytes).catch((error: unknown) => {
    throw refusal('saveWav', `${path} cannot be written`, error);
  });
}

async function encoded(
  op: string,
  waveform: AnyTensor,
  sampleRate: number,
  options: WriteWavOptions,
): Promise<Uint8Array> {
  const signal = signalOf(op, waveform);
  if (signal.rank > 2)
    throw new ShapeError(`${op}: the signal ${formatShape(signal.shape)}: needs [samples] or [channels, samples]`, [
      signal.shape,
    ]);
  checkWhole(op, 'sampleRate', sampleRate, 1);
  checkOptions(op, options, OPTIONS);
  const { encoding = 'pcm16' } = options;
  checkChoice(op, 'encoding', encoding, Object.keys(ENCODINGS));
  const [channels, frames] = signal.rank === 1 ? [1, signal.shape[0]] : signal.shape;
  const { bytes, write } = ENCODINGS[encoding];
  const header = headerOf(encoding, channels, sampleRate, frames);
  const size = bytes * channels * frames;
  if (channels > 0xffff || sampleRate > 0xffffffff || header.length + size > 0xffffffff)
    throw new ArgumentError(
      `${op}: ${frames} samples of ${channels} channels at ${sampleRate} a second are more than a WAV file holds.`,
    );
  const data = await (signal as Tensor).data();
  const file = new Uint8Array(header.length + size + (size % 2));
  file.set(header);
  const view = new DataView(file.buffer, header.length);
  for (let i = 0, at = 0; i < frames; i++) {
    for (let c = 0; c < channels; c++, at += bytes) {
      const value = data[c * frames + i];
      if (Number.isNaN(value)) throw new ArgumentError(`${op}: sample ${i} of channel ${c} is NaN.`);
      write(view, at, value);
    }
  }
  return file;
}

/** Everything before the samples. Files with more than two channels, or whole numbers of more than 16 bits, have an extended format. */
function headerOf(encoding: WavEncoding, channels: number, sampleRate: number, frames: number): Uint8Array {
  const { bytes, tag } = ENCODINGS[encoding];
  const isExtended = channels > 2 || (tag === 1 && bytes > 2);
  const format = isExtended ? 40 : tag === 1 ? 16 : 18;
  const fact = tag === 1 ? 0 : 12; // all but whole numbers say how many samples there are
  const header = new Uint8Array(12 + 8 + format + fact + 8);
  const view = new DataView(header.buffer);
  const text = (at: number, name: string): void => {
    for (let i = 0; i < 4; i++) header[at + i] = name.charCodeAt(i);
  };
  const size = bytes * channels * frames;
  text(0, 'RIFF');
  view.setUint32(4, header.length - 8 + size + (size % 2), true);
  text(8, 'WAVE');
  text(12, 'fmt ');
  view.setUint32(16, format, true);
  view.setUint16(20, isExtended ? 0xfffe : tag, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, Math.min(sampleRate * channels * bytes, 0xffffffff), true);
  view.setUint16(32, channels * bytes, true);
  view.setUint16(34, 8 * bytes, true);
  if (isExtended) {
    view.setUint16(36, 22, true); // bytes that follow
    view.setUint16(38, 8 * bytes, true);
    view.setUint32(40, 0, true); // speakers are not named
    view.setUint16(44, tag, true);
    header.set([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71], 46);
  }
  let at = 20 + format;
  if (fact > 0) {
    text(at, 'fact');
    view.setUint32(at + 4, 4, true);
    view.setUint32(at + 8, frames, true);
    at += 12;
  }
  text(at, 'data');
  view.setUint32(at + 4, size, true);
  return header;
}
