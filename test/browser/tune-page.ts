// Runs in the browser: the page of examples/web/tune.ts as somebody uses it. It classifies a picture, learns two classes from ten pictures
// each, and classifies again; meanwhile it is watched how long the page itself is kept from drawing.

import { start } from '../../examples/web/tune.js';
import type { MobileNetV2Options } from '../../src/models/index.js';

export interface Settings {
  readonly options: MobileNetV2Options;
  /** Files that the server has: a class each. */
  readonly pictures: readonly string[];
}

export interface Tuned {
  /** What the network says of the first picture, before and after. */
  readonly before: string;
  readonly after: readonly string[];
  readonly status: string;
  readonly learned: number;
  readonly classified: number;
  /** Milliseconds of the longest task of the page's own thread. */
  readonly longest: number;
  readonly frames: number;
}

const EXAMPLES = 10;

export async function main(): Promise<Tuned> {
  const { options, pictures } = (await (await fetch('/settings.json')).json()) as Settings;
  document.body.innerHTML = await (await fetch('/tune.html')).text();
  const files: File[] = [];
  for (const name of pictures) files.push(new File([await (await fetch(name)).blob()], name));
  const examples: File[][] = [];
  for (const file of files) examples.push(await crops(file));
  const element = <E extends HTMLElement>(selector: string): E => document.querySelector<E>(selector)!;
  const text = (selector: string): string => element(selector).textContent ?? '';

  let longest = 0;
  let frames = 0;
  const note = (tasks: readonly PerformanceEntry[]): void => {
    for (const { duration } of tasks) longest = Math.max(longest, duration);
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: 'longtask' });
  const onFrame = (): void => {
    frames++;
    requestAnimationFrame(onFrame);
  };
  requestAnimationFrame(onFrame);

  const done = async (): Promise<number> => {
    const begin = performance.now();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const status = text('#status');
      if (status.startsWith('done')) return performance.now() - begin;
      if (/error/i.test(status)) throw new Error(status);
    }
  };
  const choose = (selector: string, chosen: readonly File[]): void => {
    const transfer = new DataTransfer();
    for (const file of chosen) transfer.items.add(file);
    const input = element<HTMLInputElement>(selector);
    input.files = transfer.files;
    input.dispatchEvent(new Event('change'));
  };
  await start(new Worker('/tune-worker.js'), '/weights', options);
  if (!text('#status').startsWith('done')) throw new Error(text('#status'));
  const classify = async (file: File): Promise<string> => {
    element('#status').textContent = '';
    choose('#picture', [file]);
    await done();
    return text('#result');
  };
  const before = await classify(files[0]);
  const begin = performance.now();
  await classify(files[0]);
  const classified = performance.now() - begin;
  files.forEach((_, i) => {
    element<HTMLInputElement>('#label').value = `class ${i}`;
    choose('#examples', examples[i]);
  });
  element('#learn').click();
  const learned = await done();
  const status = text('#status');
  const after: string[] = [];
  for (const file of files) after.push(await classify(file));
  note(observer.takeRecords());
  return { before, after, status, learned, classified, longest, frames };
}

/** Parts of a picture at other places. */
async function crops(file: File): Promise<File[]> {
  const bitmap = await createImageBitmap(file);
  const [width, height] = [bitmap.width, bitmap.height].map((n) => Math.round(0.8 * n));
  const made: File[] = [];
  for (let i = 0; i < EXAMPLES; i++) {
    const canvas = new OffscreenCanvas(width, height);
    const [x, y] = [(i % 3) / 2, (i % 4) / 3];
    canvas.getContext('2d')!.drawImage(bitmap, -x * (bitmap.width - width), -y * (bitmap.height - height));
    made.push(new File([await canvas.convertToBlob()], `${i}.png`));
  }
  return made;
}
