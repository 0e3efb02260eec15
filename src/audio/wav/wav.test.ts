// WAV files: every encoding as libsndfile writes and reads it (test/fixtures/audio-wav.json, from tools/parity/audio.py), back and forth, and
// files that are damaged.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FormatError, NablaError, setDevice, tensor, zeros } from 'nabla';
import { type WavEncoding, encodeWav, readWav, readWavInfo, saveWav } from 'nabla/audio';
import fixture from '../../../test/fixtures/audio-wav.json' with { type: 'json' };
import { HostRandom } from '../../data/index.js';

const folder = mkdtempSync(join(tmpdir(), 'nabla-wav-'));
beforeAll(() => setDevice('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

const bytesOf = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

test.each(fixture.files)('$encoding, $form', async ({ encoding, file, rate, samples, channels }) => {
  const bytes = bytesOf(file);
  const { waveform, sampleRate, encoding: found } = await readWav(bytes);
  expect([sampleRate, found, waveform.shape[0]]).toEqual([rate, encoding, channels]);
  expect([...(await waveform.data())]).toEqual(samples.map(Math.fround));
  const info = await readWavInfo(bytes);
  expect(info).toEqual({
    sampleRate: rate,
    channels,
    frames: waveform.shape[1],
    seconds: waveform.shape[1] / rate,
    encoding,
  });
  // what is written is what was read
  const again = await readWav(await encodeWav(waveform, rate, { encoding: found }));
  expect([...(await again.waveform.data())]).toEqual(samples.map(Math.fround));
});

test('parts, a path, a Blob, a file of an odd size', async () => {
  const x = tensor(
    Float32Array.from({ length: 15 }, (_, i) => (i - 7) / 8),
    { shape: [3, 5] },
  );
  const path = join(folder, 'a.wav');
  await saveWav(path, x, 8000, { encoding: 'pcm8' });
  expect(readFileSync(path).length % 2).toBe(0);
  for (const source of [path, new Blob([readFileSync(path)])]) {
    const { waveform } = await readWav(source, { offset: 1, frames: 2 });
    expect(await waveform.array()).toEqual([
      [-6 / 8, -5 / 8],
      [-1 / 8, 0],
      [4 / 8, 5 / 8],
    ]);
  }
  expect((await readWav(path, { offset: 5 })).waveform.shape).toEqual([3, 0]);
  expect((await readWav(path, { offset: 2, frames: 99 })).waveform.shape).toEqual([3, 3]);
  await expect(readWav(path, { offset: 6 })).rejects.toThrow('readWav: offset is 6, and there are 5 samples.');
  await expect(saveWav(join(folder, 'none', 'a.wav'), x, 8000)).rejects.toThrow(
    /^saveWav: .*a\.wav cannot be written \(there is no such/,
  );
});

test('values are rounded and cut off', async () => {
  const x = tensor([-2, -1, -0.5, 0.00001, 0.99999, 3]);
  const written = async (encoding: WavEncoding) => [
    ...(await (await readWav(await encodeWav(x, 10, { encoding }))).waveform.data()),
  ];
  expect(await written('pcm16')).toEqual([-1, -1, -0.5, 0, 32767 / 32768, 32767 / 32768]);
  expect(await written('float32')).toEqual([-2, -1, -0.5, 0.00001, 0.99999, 3].map(Math.fround));
  expect(await written('ulaw')).toEqual([-32124, -32124, -16764, 0, 32124, 32124].map((v) => v / 32768));
});

describe('damaged files', () => {
  const file = (): Promise<Uint8Array> => encodeWav(zeros([2, 6]), 8000);
  const changed = async (at: number, ...bytes: number[]): Promise<Uint8Array> => {
    const copy = (await file()).slice();
    copy.set(bytes, at);
    return copy;
  };
  const cases: [string, () => Promise<Uint8Array>][] = [
    ['is no WAV file', () => Promise.resolve(new Uint8Array(3))],
    ['is no WAV file', () => changed(0, 0x4f)],
    ['is no WAV file', () => changed(8, 0x41)],
    ['is a WAV file of the kind RF64, which is not read', () => changed(0, 0x52, 0x46, 0x36, 0x34)],
    ['ends after 23 of 24 bytes of samples', async () => (await file()).slice(0, -1)],
    ['ends after 24 of 4294967280 bytes of samples', () => changed(40, 0xf0, 0xff, 0xff, 0xff)],
    ['has 22 bytes of samples, which are no whole frames of 4', () => changed(40, 22)],
    ["ends within the chunk 'fmt ' of 2147483663 bytes", () => changed(16, 15, 0, 0, 0x80)],
    ['has a format of 15 bytes, which need 16', () => changed(16, 15)],
    ['has samples of 16 bits in format 85', () => changed(20, 0x55)],
    ['has no channels', () => changed(22, 0)],
    ['has a sample rate of 0', () => changed(24, 0, 0, 0, 0)],
    ['has frames of 4 bytes for 3 samples of 16 bits', () => changed(22, 3)],
    ['has no samples', async () => (await file()).slice(0, 36)],
    ['has no format', async () => (await file()).slice(0, 12)],
    ['has samples before their format', () => changed(12, 0x64, 0x61, 0x74, 0x61)],
  ];
  test.each(cases)('%s', async (message, make) => {
    await expect(readWav(await make())).rejects.toThrow(FormatError);
    await expect(readWav(await make())).rejects.toThrow(`readWav: the source ${message}`);
  });

  test('a writer that did not know the end', async () => {
    expect((await readWav(await changed(40, 0xff, 0xff, 0xff, 0xff))).waveform.shape).toEqual([2, 6]);
  });

  test('2,000 changed bytes end in an error or in samples', async () => {
    const random = new HostRandom(3);
    for (let i = 0; i < 2000; i++) {
      const bytes = bytesOf(fixture.files[i % fixture.files.length].file);
      const damaged = bytes.slice(0, random.uniform() < 0.3 ? random.below(bytes.length + 1) : bytes.length);
      for (let k = random.below(4); k > 0 && damaged.length > 0; k--)
        damaged[random.below(Math.min(damaged.length, 64))] = random.below(256);
      await readWavInfo(damaged).catch((error: unknown) => expect(error).toBeInstanceOf(NablaError));
    }
  });
});

test('what cannot be written is said', async () => {
  await expect(encodeWav(tensor([0, NaN]), 8000)).rejects.toThrow('encodeWav: sample 1 of channel 0 is NaN.');
  await expect(encodeWav(zeros([2, 3, 4]), 8000)).rejects.toThrow(
    'encodeWav: the signal [2, 3, 4]: needs [samples] or [channels, samples]',
  );
  await expect(encodeWav(zeros([4]), 0)).rejects.toThrow(
    'encodeWav: sampleRate is 0. Use a whole number of at least 1.',
  );
  await expect(encodeWav(zeros([4]), 8000, { encoding: 'mp3' as 'alaw' })).rejects.toThrow(
    "encodeWav: encoding is 'mp3'. Use 'pcm8', ",
  );
  await expect(readWav(5 as unknown as string)).rejects.toThrow('readWav: the source is 5.');
});
