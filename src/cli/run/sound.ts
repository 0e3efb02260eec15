// Sounds as an input of a model: one channel of samples from −1 to 1, at the model's rate.

import { readWav, resample, toMono } from '../../audio/index.js';
import { userFault } from '../inspect/tensors.js';
import type { Numbers, RunInput } from './runnable.js';

/** The samples along the dimension of the input that time has; the mean of the channels. Throws CliError for what is no WAV file. */
export async function readSound(
  input: RunInput,
  path: string,
  rate: number | undefined,
  notes: string[],
): Promise<Numbers> {
  return userFault(async () => {
    const { waveform, sampleRate } = await readWav(path);
    const mono = toMono(waveform);
    const wanted = rate ?? sampleRate;
    const sound = wanted === sampleRate ? mono : resample(mono, sampleRate, wanted);
    const data = Float32Array.from(await sound.data());
    if (rate === undefined)
      notes.push(`${input.name}: ${data.length} samples at ${sampleRate} Hz, as in the file (--rate)`);
    return { data, shape: shapeFor(input, data.length) };
  });
}

/** Time is a dimension that may be any, the last of these but for the batch's; else the largest one. */
function shapeFor({ shape = [undefined] }: RunInput, length: number): number[] {
  const open = shape.findLastIndex((n, axis) => typeof n !== 'number' && (axis > 0 || shape.length === 1));
  const largest = shape.reduce<number>(
    (best, n, axis) => (Number(n) > Number(shape[best] ?? 0) ? axis : best),
    shape.length - 1,
  );
  const time = open >= 0 ? open : largest;
  return shape.map((_, axis) => (axis === time ? length : 1));
}
