// What nabla/browser does, run in a page: pictures there and back, files that stay, a worker's functions.
import { tensor } from 'nabla';
import { connect, expose, fromPixels, openBrowserFiles, toPixels } from 'nabla/browser';
import { toSafetensors, fromSafetensors } from 'nabla/io';
import { Linear } from 'nabla/nn';

const messageOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
    return 'nothing was thrown';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
};

/** Two pixels: red, and half of a transparent blue. */
function picture(): ImageData {
  const pixels = new ImageData(2, 1);
  pixels.data.set([255, 0, 0, 255, 0, 0, 255, 0]);
  return pixels;
}

async function pictures() {
  const rgb = fromPixels(picture());
  const grey = fromPixels(picture(), { channels: 1 });
  const canvas = document.createElement('canvas');
  await toPixels(tensor([[[0, 0.5]], [[1, 2]], [[-1, 1]]]), canvas);
  const again = fromPixels(canvas);
  const bitmap = await createImageBitmap(canvas);
  return {
    rgb: [rgb.shape, await rgb.array()],
    grey: await grey.array(),
    opacity: await fromPixels(picture(), { channels: 4 }).array(),
    canvas: [canvas.width, canvas.height, await again.array()],
    bitmap: await fromPixels(bitmap).sub(again).abs().max().item(),
    scaled: fromPixels(bitmap, { size: [4, 6], channels: 1 }).shape,
    bytes: [...(await toPixels(tensor([[0, 255]], { dtype: 'int32' }))).data],
    wrong: [
      await messageOf(() => fromPixels(new Image())),
      await messageOf(() => fromPixels(document.createElement('video'))),
      await messageOf(() => fromPixels({} as never)),
      await messageOf(() => fromPixels(canvas, { channels: 2 } as never)),
      await messageOf(() => fromPixels(canvas, { size: 0 })),
      await messageOf(() => toPixels(tensor([1, 2, 3]))),
      await messageOf(() => toPixels(tensor([[1]]), {} as never)),
    ],
  };
}

async function stored(place: 'opfs' | 'indexeddb') {
  const files = await openBrowserFiles({ in: place, folder: 'test' });
  const layer = new Linear(2, 1);
  await files.write('layer.safetensors', await toSafetensors(layer.stateDict()));
  await files.write('other', Uint8Array.of(1, 2, 3));
  await files.write('other', Uint8Array.of(4));
  const names = await files.list();
  const other = [...(await files.read('other'))];
  const copy = new Linear(2, 1);
  copy.loadStateDict(fromSafetensors(await files.read('layer.safetensors')).tensors);
  await files.delete('other');
  await files.delete('other');
  return {
    names,
    other,
    gap: await copy.weight.sub(layer.weight).abs().max().item(),
    left: [await files.has('other'), await files.list()],
    wrong: [
      await messageOf(() => files.read('other')),
      await messageOf(() => files.write('a/b', new Uint8Array(1))),
      await messageOf(() => files.write('a', 'text' as never)),
    ],
  };
}

async function calls() {
  const { port1, port2 } = new MessageChannel();
  const api = expose(
    {
      async sum(xs: number[], onStep: (i: number) => void) {
        xs.forEach((_, i) => onStep(i));
        return tensor(xs).sum().item();
      },
      add: (a: number, b: number) => a + b,
      fail: () => tensor([1, 2]).add(tensor([1, 2, 3]) as never),
      tensor: () => () => 1,
    },
    port2,
  );
  const remote = connect<typeof api & { missing(): void }>(port1);
  const steps: number[] = [];
  const results = await Promise.all([remote.sum([1, 2, 3], (i) => void steps.push(i)), remote.add(2, 3)]);
  const wrong = [
    await messageOf(() => remote.fail()),
    await messageOf(() => remote.missing()),
    await messageOf(() => remote.tensor()),
    await messageOf(() => remote.add(1, Symbol('one') as never)),
    await messageOf(() => connect({} as never)),
    await messageOf(() => expose({ a: 1 } as never)),
  ];
  port1.close();
  return { results, steps, wrong, early: await early() };
}

/** Calls that are made before the other side exposes anything: they are sent once it does, as they were when they were made. */
async function early() {
  const { port1, port2 } = new MessageChannel();
  const remote = connect<{ sum(xs: number[], onStep?: (x: number) => void): number }>(port1);
  const xs = [1, 2, 3];
  const told: number[] = [];
  const answers = [remote.sum(xs, (x) => void told.push(x)), remote.sum([4])];
  const wrong = await messageOf(() => remote.sum([() => 1] as never));
  xs.push(100);
  expose(
    {
      sum(given: number[], onStep?: (x: number) => void) {
        if (onStep) given.forEach((x) => onStep(x));
        return given.reduce((a, b) => a + b);
      },
    },
    port2,
  );
  const results = await Promise.all([...answers, remote.sum([5])]);
  port1.close();

  // A worker whose modules are on their way when it is told the first thing, as bundlers that load parts of a script make it.
  const late = new Worker('/late.js');
  const { add } = connect<{ add(a: number, b: number): number }>(late);
  const lateSum = await add(2, 3);
  late.terminate();

  // What fails before it was ready rejects what waits, and what comes later.
  const broken = new Worker(
    URL.createObjectURL(new Blob(['setTimeout(() => { throw new Error("no chunk"); }, 50); onmessage = () => {};'])),
  );
  const { call } = connect<{ call(): number }>(broken);
  const both = await Promise.all([messageOf(() => call()), messageOf(() => call())]);
  const failed = [...both, await messageOf(() => call())];
  broken.terminate();
  return { results, told, wrong, lateSum, failed };
}

/** Calls to workers whose script fails, each right after the other: while it is loaded, and when it has failed long ago. */
async function failures() {
  const script = (text: string): Worker => new Worker(URL.createObjectURL(new Blob([text])));
  const found: Record<string, string[]> = {};
  for (const [kind, start] of [
    ['missing', () => new Worker('/no-such-script.js')],
    ['throwing', () => script('throw new Error("no heap");')],
    ['unreadable', () => script('const = 1;')],
  ] as const) {
    const worker = start();
    const { call } = connect<{ call(): number }>(worker);
    found[kind] = [await messageOf(() => call()), await messageOf(() => call())];
    worker.terminate();
  }
  // An error of a worker that listens ends what is under way, and nothing else.
  const alive = script(`onmessage = ({ data: { nabla, id, name } }) => {
    if (nabla === 'hello') postMessage({ nabla: 'ready' });
    else if (name === 'add') postMessage({ nabla: 'answer', id, value: 3 });
    else throw new Error('outside of a call');
  };`);
  const { add, call } = connect<{ add(): number; call(): void }>(alive);
  found['alive'] = [String(await add()), await messageOf(() => call()), String(await add())];
  alive.terminate();
  return found;
}

export async function main() {
  return {
    pictures: await pictures(),
    opfs: await stored('opfs'),
    indexeddb: await stored('indexeddb'),
    calls: await calls(),
    failures: await failures(),
  };
}
