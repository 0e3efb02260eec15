// A page that tells what a picture shows, and learns new classes from some twenty pictures, all of it in the page: nothing is uploaded.
// The network computes in a worker (tune-worker.ts); the page stays free to draw and answer.
//   npm run build && npx esbuild examples/web/tune.ts examples/web/tune-worker.ts --bundle --format=esm --servedir=examples/web
// and open tune.html, with the weights of torchvision beside it (mobilenet_v2-b0353104.pth).

import type { MobileNetV2Options } from 'nabla/models';
import type { Prediction } from 'nabla/vision';
import type { Answer, Task } from './tune-worker.js';

/** The network in its worker: one task at a time. */
export class RemoteNetwork {
  readonly #worker: Worker;
  readonly #onProgress: (text: string) => void;

  constructor(worker: Worker, onProgress: (text: string) => void) {
    this.#worker = worker;
    this.#onProgress = onProgress;
  }

  ask(task: Task): Promise<readonly Prediction[]> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ('progress' in data) this.#onProgress(data.progress);
        else if ('failed' in data) reject(new Error(data.failed));
        else resolve(data.done);
      };
      this.#worker.onerror = ({ message }) => reject(new Error(message));
      this.#worker.postMessage(task);
    });
  }
}

/** Wires the elements of tune.html. */
export async function start(worker: Worker, weights: string, options: MobileNetV2Options = {}): Promise<void> {
  const element = <E extends HTMLElement>(selector: string): E => {
    const found = document.querySelector<E>(selector);
    if (found === null) throw new Error(`the page has no ${selector}`);
    return found;
  };
  const [status, result] = [element('#status'), element('#result')];
  const [picture, label] = [element<HTMLInputElement>('#picture'), element<HTMLInputElement>('#label')];
  const [examples, learn] = [element<HTMLInputElement>('#examples'), element<HTMLButtonElement>('#learn')];
  const network = new RemoteNetwork(worker, (text) => (status.textContent = text));
  const known: { picture: Blob; label: string }[] = [];

  const doing = async (what: string, task: Task): Promise<void> => {
    picture.disabled = learn.disabled = true;
    status.textContent = what;
    const begin = performance.now();
    try {
      const classes = await network.ask(task);
      result.textContent = classes.map((one) => `${one.label} ${(100 * one.probability).toFixed(1)} %`).join('\n');
      status.textContent = `done in ${((performance.now() - begin) / 1000).toFixed(2)} s`;
    } catch (error) {
      status.textContent = String(error);
    }
    picture.disabled = learn.disabled = false;
  };

  picture.addEventListener('change', () => {
    const [file] = picture.files ?? [];
    if (file !== undefined) void doing('classifying', { classify: file });
  });
  examples.addEventListener('change', () => {
    for (const file of examples.files ?? []) known.push({ picture: file, label: label.value });
    status.textContent = `${known.length} pictures of ${new Set(known.map((one) => one.label)).size} classes`;
  });
  learn.addEventListener('click', () => void doing('learning', { learn: known }));

  await doing('loading', { load: new URL(weights, location.href).href, options });
}
