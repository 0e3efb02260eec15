// WAV files as waveforms: samples between −1 and 1, one row a channel.

import { type FileOptions, type FileSource, openSource } from '../../io/source.js';
import { tensor } from '../../tensor/creation.js';
import { ArgumentError, type OptionNames, checkGiven, checkOptions, checkWhole } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { ENCODINGS, type WavEncoding } from './encodings.js';
import { type WavInfo, readHeader } from './header.js';

export interface ReadWavOptions extends Pick<FileOptions, 'onProgress' | 'signal' | 'cache'> {
  /** The first sample of each channel that is read. Default 0. */
  readonly offset?: number;
  /** How many samples of each channel are read, at most. Default: all. Only they are held in memory. */
  readonly frames?: number;
}

const FILE_NAMES = { onProgress: true, signal: true, cache: true } as const;
const OPTIONS: OptionNames<ReadWavOptions> = { ...FILE_NAMES, offset: true, frames: true };

/** What a WAV file holds. */
export interface Wav {
  /** [channels, samples], float32 between −1 and 1. */
  readonly waveform: Tensor<[number, number]>;
  /** Samples a second. */
  readonly sampleRate: number;
  /** What the file keeps them as. */
  readonly encoding: WavEncoding;
}

/** Float32 elements of a tensor. */
const MOST = 2 ** 31 - 1;
/** Bytes at once: what is read is turned into samples before more is. */
const AT_ONCE = 1 << 22;

/**
 * The samples of a WAV file: whole numbers of 8, 16, 24 or 32 bits, floats of 32 or 64, A-law or µ-law, any number of channels. From a path
 * or file: URL (Node), an address, a File or Blob, or bytes. Throws FormatError for what is no WAV file, and for one that is damaged or
 * ends too early. torchaudio: load.
 *
 *     const { waveform, sampleRate } = await readWav('speech.wav'); // [1, 48000], 16000
 */
export async function readWav(source: FileSource, options: ReadWavOptions = {}): Promise<Wav> {
  const op = 'readWav';
  checkOptions(op, options, OPTIONS);
  const { offset = 0, frames, ...files } = options;
  checkWhole(op, 'offset', offset);
  checkGiven(checkWhole, op, { frames });
  const opened = await openSource(op, source, files);
  const { start, channels, frames: all, sampleRate, encoding } = await readHeader(op, opened);
  if (offset > all) throw new ArgumentError(`${op}: offset is ${offset}, and there are ${all} samples.`);
  const count = Math.min(frames ?? Infinity, all - offset);
  if (count * channels > MOST)
    throw new ArgumentError(`${op}: ${count} samples of ${channels} channels are too many at once. Give frames.`);
  const { bytes, read } = ENCODINGS[encoding];
  const frame = bytes * channels;
  const data = new Float32Array(channels * count);
  const step = Math.max(1, Math.floor(AT_ONCE / frame));
  for (let done = 0; done < count; done += step) {
    const some = Math.min(step, count - done);
    const begin = start + (offset + done) * frame;
    const { buffer, byteOffset } = await opened.read(begin, begin + some * frame);
    const view = new DataView(buffer, byteOffset, some * frame);
    for (let c = 0; c < channels; c++)
      for (let i = 0, at = c * bytes; i < some; i++, at += frame) data[c * count + done + i] = read(view, at);
  }
  return { waveform: tensor(data, { shape: [channels, count] }), sampleRate, encoding };
}

/** What the head of a WAV file says; the samples are not read. Source and errors as for `readWav`. torchaudio: info. */
export async function readWavInfo(
  source: FileSource,
  options: Pick<FileOptions, 'onProgress' | 'signal' | 'cache'> = {},
): Promise<WavInfo> {
  checkOptions('readWavInfo', options, FILE_NAMES);
  const opened = await openSource('readWavInfo', source, options);
  const { start: _, ...info } = await readHeader('readWavInfo', opened);
  return info;
}
