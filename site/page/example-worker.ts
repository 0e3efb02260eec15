// The worker of the examples in a page: runs the cells of a page up to one, and sends back what each prints.
// In: the script that program.mjs has made; what it may import is bundled here. Out: a line, the end, or an error, each with its cell.

import * as nabla from 'nabla';
import * as audio from 'nabla/audio';
import * as browser from 'nabla/browser';
import * as classic from 'nabla/classic';
import * as data from 'nabla/data';
import * as transforms from 'nabla/data/transforms';
import * as io from 'nabla/io';
import * as linalg from 'nabla/linalg';
import * as metrics from 'nabla/metrics';
import * as models from 'nabla/models';
import * as nn from 'nabla/nn';
import * as onnx from 'nabla/onnx';
import * as optim from 'nabla/optim';
import * as rl from 'nabla/rl';
import * as text from 'nabla/text';
import * as train from 'nabla/train';
import * as vision from 'nabla/vision';
import { printed } from './inspect.js';

const MODULES: Readonly<Record<string, object>> = {
  nabla,
  'nabla/audio': audio,
  'nabla/browser': browser,
  'nabla/classic': classic,
  'nabla/data': data,
  'nabla/data/transforms': transforms,
  'nabla/io': io,
  'nabla/linalg': linalg,
  'nabla/metrics': metrics,
  'nabla/models': models,
  'nabla/nn': nn,
  'nabla/onnx': onnx,
  'nabla/optim': optim,
  'nabla/rl': rl,
  'nabla/text': text,
  'nabla/train': train,
  'nabla/vision': vision,
};

export type ExampleMessage =
  | { readonly kind: 'line'; readonly cell: number; readonly text: string; readonly isWarning: boolean }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly cell: number; readonly text: string };

const post = (message: ExampleMessage): void => postMessage(message);

function load(name: string): object {
  const found = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined;
  if (!found) throw new Error(`'${name}' cannot be imported in a page. What can: ${Object.keys(MODULES).join(', ')}.`);
  return found;
}

addEventListener('message', async ({ data: script }: MessageEvent<string>) => {
  let cell = 0;
  const say =
    (isWarning: boolean) =>
    (...values: unknown[]) =>
      post({ kind: 'line', cell, text: printed(values), isWarning });
  Object.assign(console, { log: say(false), info: say(false), table: say(false), warn: say(true), error: say(true) });
  try {
    const AsyncFunction = (async () => {}).constructor as new (
      ...parts: string[]
    ) => (...values: unknown[]) => Promise<void>;
    const run = new AsyncFunction('require', 'exports', '__cell', script);
    await run(load, {}, (i: number) => (cell = i));
    post({ kind: 'end' });
  } catch (error) {
    post({ kind: 'error', cell, text: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
});
