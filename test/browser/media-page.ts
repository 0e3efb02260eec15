// Runs in a page and, for the numbers to compare with, in Node: pictures and sounds from files, and what networks are given of them.

import { type Tensor, setDevice } from 'nabla';
import { readImage } from 'nabla/data';
import { imagePreprocessing, pictureBoxes } from 'nabla/vision';
import {
  encodeWav,
  melSpectrogram,
  mfcc,
  powerToDb,
  readWav,
  readWavInfo,
  resample,
  toMono,
} from '../../src/audio/index.js';

export interface Media {
  readonly picture: Uint8Array;
  readonly turned: Uint8Array;
  readonly sound: Uint8Array;
}

const numbersOf = async (x: Tensor): Promise<number[]> => Array.from(await x.data(), Number);

async function said(call: () => Promise<unknown>): Promise<string> {
  return call().then(
    () => 'nothing',
    (error: unknown) => String(error),
  );
}

/** The same wherever it runs, but for how a page decodes. */
export async function seen({ picture, turned, sound }: Media) {
  setDevice('cpu');
  const blob = new Blob([picture as Uint8Array<ArrayBuffer>]);
  const images = {
    bytes: await readImage(picture),
    blob: await readImage(blob),
    buffer: await readImage(picture.slice().buffer as ArrayBuffer),
    grey: await readImage(picture, { channels: 1 }),
    opacity: await readImage(picture, { channels: 4 }),
  };
  const { shape } = await readImage(turned);
  const cropped = await imagePreprocessing('imagenet', { resize: 20, crop: 16 })(images.bytes);
  const yolo = imagePreprocessing('yolo', { letterbox: 32 });
  const framed = await yolo([images.bytes, images.grey]);
  const [{ box }] = pictureBoxes([{ label: 'a', index: 0, score: 1, box: [4, 8, 20, 24] }], yolo, [18, 24]);

  const { waveform, sampleRate, encoding } = await readWav(sound);
  const mono = toMono(waveform);
  const mels = melSpectrogram(mono, sampleRate, { nFft: 256, nMels: 20 });
  return {
    images: Object.fromEntries(
      Object.entries(images).map(([name, { data, shape: size }]) => [name, [...size, ...data]]),
    ),
    turned: [...shape],
    cropped: await numbersOf(cropped),
    framed: await numbersOf(framed),
    box,
    encoding,
    sound: await readWavInfo(new Blob([sound as Uint8Array<ArrayBuffer>])),
    part: await numbersOf((await readWav(sound, { offset: 100, frames: 8 })).waveform),
    again: [...(await encodeWav(waveform, sampleRate))].join() === [...sound].join(),
    mels: await numbersOf(powerToDb(mels)),
    cepstrum: await numbersOf(mfcc(mono, sampleRate, { nFft: 256, nMels: 20, nMfcc: 5 })),
    resampled: await numbersOf(resample(mono, 3, 2)),
    errors: [
      await said(() => readImage(picture.slice(0, 60))),
      await said(() => readWav(picture)),
      await said(() => readWav(sound.slice(0, 60))),
    ],
  };
}

export type Seen = Awaited<ReturnType<typeof seen>>;

const fetched = async (path: string): Promise<Uint8Array> => {
  const response = await fetch(path);
  return new Uint8Array(await response.arrayBuffer());
};

export async function main() {
  const [picture, turned, sound] = await Promise.all(['/picture.png', '/turned.jpg', '/sound.wav'].map(fetched));
  const all = await seen({ picture, turned, sound });
  const { origin } = location;
  const image = await readImage(`${origin}/picture.png`);
  const { waveform } = await readWav(`${origin}/sound.wav`, { cache: false });
  const file = await readImage(new File([picture as Uint8Array<ArrayBuffer>], 'picture.png'));

  // the pixels of a page's canvas
  const [, height, width] = image.shape;
  const canvas = new OffscreenCanvas(width, height).getContext('2d')!;
  canvas.fillStyle = 'white';
  canvas.fillRect(0, 0, width, height);
  canvas.drawImage(await createImageBitmap(new Blob([picture as Uint8Array<ArrayBuffer>])), 0, 0);
  const pixels = canvas.getImageData(0, 0, width, height);
  const ofCanvas = await imagePreprocessing('imagenet', { resize: 20, crop: 16 })(pixels);
  return {
    ...all,
    address: [...image.shape, ...image.data],
    file: [...file.shape, ...file.data],
    samples: waveform.shape,
    ofCanvas: await numbersOf(ofCanvas),
    path: await said(() => readImage('picture.png')),
    missing: await said(() => readImage(`${origin}/none.png`)),
  };
}
