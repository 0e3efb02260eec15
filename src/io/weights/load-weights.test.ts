// Weights into models: every format, keys that are found, renamed and cut, numbers that are converted, and models that stay as they
// are when a file does not fit.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import fixture from '../../../test/fixtures/torch-files.json' with { type: 'json' };
import { bytesOfBase64, described } from '../../../test/support/torch-files.js';
import { ArgumentError, DTypeError, FormatError, NablaError, setDevice, tensor, zeros } from '../../index.js';
import { BatchNorm1d, Linear, Module, Parameter, ReLU, Sequential, StateDictError } from '../../nn/index.js';
import { type LoadWeightsOptions, type WeightSource, loadTorch, loadWeights, toSafetensors } from '../index.js';
import { StoredTensor } from '../stored-tensor.js';
import { openTensors } from '../tensor-file.js';
import { limits } from './load-weights.js';

setDevice('reference');

/** The network whose checkpoint the fixtures have. */
const makeNet = () => new Sequential(new Linear(3, 4), new BatchNorm1d(4), new ReLU(), new Linear(4, 2));
const file = (name: keyof typeof fixture.read): Uint8Array => bytesOfBase64(fixture.read[name].file);

interface Numbers {
  readonly [key: string]: readonly number[];
}
/** Numbers of the checkpoint's model. */
const wanted: Numbers = Object.fromEntries(
  (
    fixture.read['checkpoint, zip'].value as { dict: [string, { dict: [string, { data: number[] }][] }][] }
  ).dict[1][1].dict.map(([key, { data }]) => [key, data]),
);

async function numbersOf(model: Module): Promise<Numbers> {
  const numbers: [string, number[]][] = [];
  for (const [key, t] of Object.entries(model.stateDict())) numbers.push([key, [...(await t.data())]]);
  return Object.fromEntries(numbers);
}

let folder: string;
let server: Server;
let address: string;
let asked: string[];
const served: Record<string, Uint8Array> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-weights-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const content = served[request.url ?? ''];
    if (content === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': content.length }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const put = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};

test('a checkpoint in both layouts, the state dict in it found, from every kind of source', async () => {
  for (const name of ['checkpoint, zip', 'checkpoint, legacy', 'data parallel'] as const) {
    const bytes = file(name);
    const path = put('model.pt', bytes);
    const sources: WeightSource[] = [bytes, bytes.slice().buffer, new Blob([bytes as Uint8Array<ArrayBuffer>]), path];
    for (const source of [...sources, pathToFileURL(path), pathToFileURL(path).href, await loadTorch(bytes)]) {
      const model = makeNet();
      const result = await loadWeights(model, source);
      expect(await numbersOf(model)).toEqual(wanted);
      expect(result).toEqual({
        loaded: Object.keys(wanted),
        missing: [],
        unexpected: [],
        converted: [{ key: '1.num_batches_tracked', from: 'int64', to: 'int32' }],
        key: name === 'data parallel' ? 'state_dict' : 'model_state_dict',
        stripped: name === 'data parallel' ? 'module.' : '',
      });
    }
  }
});

test('safetensors, npz and objects; other dtypes are converted', async () => {
  const half = makeNet().to('float16');
  await loadWeights(half, file('checkpoint, zip'));
  const rounded = await numbersOf(half);
  expect(rounded['0.weight']).not.toEqual(wanted['0.weight']);
  const bytes = await toSafetensors(half.stateDict());
  const model = makeNet();
  const { converted } = await loadWeights(model, bytes);
  expect(converted.map(({ key }) => key)).toEqual(Object.keys(wanted).filter((key) => !key.endsWith('tracked')));
  expect(converted[0]).toEqual({ key: '0.weight', from: 'float16', to: 'float32' });
  expect(await numbersOf(model)).toEqual(rounded);
  const other = makeNet();
  await loadWeights(other, model.stateDict());
  expect(await numbersOf(other)).toEqual(rounded);
  await loadWeights(other, (await loadTorch(file('checkpoint, zip'))).stored('model_state_dict'), { dtype: 'float64' });
  expect(other.parameters()[0].dtype).toBe('float64');
  expect(await numbersOf(other)).toEqual(wanted);
  expect(other.training).toBe(true);
});

test('keys by prefix and map', async () => {
  class Net extends Module {
    body = makeNet();
    head = new Linear(2, 1);
  }
  const net = new Net();
  const before = await numbersOf(net.head);
  const source = file('checkpoint, zip');
  const maps: LoadWeightsOptions['map'][] = [
    (key) => `body.${key}`,
    Object.fromEntries(['0', '1', '3'].map((i) => [i, `body.${i}`])),
    [[/^(\d)/, 'body.$1']],
    [['', 'body.']],
  ];
  for (const map of maps) {
    const { missing } = await loadWeights(net, source, { map, strict: false });
    expect(missing).toEqual(['head.weight', 'head.bias']);
    expect(await numbersOf(net.body)).toEqual(wanted);
    await loadWeights(net.body, makeNet().stateDict());
  }
  expect(await numbersOf(net.head)).toEqual(before);
  const state = await loadTorch(source);
  const nested = Object.fromEntries(
    Object.entries(state.stored('model_state_dict')).map(([k, t]) => [`net.body.${k}`, t]),
  );
  for (const prefix of ['net.body', 'net.body.']) {
    const model = makeNet();
    await loadWeights(model, nested, { prefix });
    expect(await numbersOf(model)).toEqual(wanted);
  }
  const model = makeNet();
  await loadWeights(
    model,
    { ...nested, 'net.body.0.old': zeros([1]) },
    { prefix: 'net', map: { body: '', 'body.0.old': null } },
  );
  expect(await numbersOf(model)).toEqual(wanted);
  await expect(loadWeights(model, nested, { map: () => 'x' })).rejects.toThrow(
    `loadWeights: map calls both 'net.body.0.weight' and 'net.body.0.bias' 'x'.`,
  );
  await loadWeights(model, source, { key: 'model_state_dict' });
  await expect(loadWeights(model, source, { key: 'ema' })).rejects.toThrow(/has nothing called 'ema'/);
});

test('what does not fit is said all at once, and nothing is changed', async () => {
  const model = new Sequential(new Linear(3, 4), new BatchNorm1d(4), new Linear(4, 2));
  const before = await numbersOf(model);
  const error = await loadWeights(model, file('checkpoint, zip')).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(StateDictError);
  expect((error as StateDictError).message).toBe(
    'loadWeights: the file does not fit Sequential: missing: 2.weight [2, 4] (the file has 3.weight [2, 4]), 2.bias [2] (the file has 3.bias [2]); unexpected: 3.weight [2, 4], 3.bias [2]. Rename keys with map; strict: false loads what fits.',
  );
  expect(error).toMatchObject({ missing: ['2.weight', '2.bias'], unexpected: ['3.weight', '3.bias'], misshaped: [] });
  const wide = new Sequential(new Linear(2, 4), new BatchNorm1d(4), new ReLU(), new Linear(4, 2));
  await expect(loadWeights(wide, file('checkpoint, zip'))).rejects.toThrow(
    `loadWeights: the file does not fit Sequential: of another shape: 0.weight ([4, 3] for [4, 2]). Build the model with the same sizes, or leave a key out: map: { '0.weight': null } with strict: false.`,
  );
  const inner = { 'backbone.0.weight': zeros([2, 2]), 'backbone.0.bias': zeros([2]) };
  await expect(loadWeights(new Sequential(new Linear(2, 2)), inner)).rejects.toThrow(
    `With prefix: 'backbone' the keys below it are loaded.`,
  );
  await expect(
    loadWeights(new Sequential(new Linear(2, 2)), { weight: zeros([2, 2]), bias: zeros([2]) }),
  ).rejects.toThrow("With map: (key) => `0.${key}` they get the model's names.");
  expect(await numbersOf(model)).toEqual(before);
});

test.each([limits.atOnce, 16])('damaged numbers leave the model as it was; %i bytes at once', async (atOnce) => {
  limits.atOnce = atOnce;
  const bytes = file('checkpoint, zip');
  const at = Buffer.from(bytes).indexOf(Buffer.from(Float32Array.from(wanted['3.bias']).buffer));
  bytes[at] ^= 1;
  const model = makeNet();
  const before = await numbersOf(model);
  await expect(loadWeights(model, bytes)).rejects.toThrow(/does not match its checksum/);
  const fits = model.stateDict();
  const far = { ...(await loadTorch(file('dtypes, zip'))).stored() }['uint32'];
  await expect(loadWeights(model, { ...fits, '1.num_batches_tracked': far })).rejects.toThrow(
    `tensor 'uint32': element 0 is 4294967295 (uint32), which int32 cannot hold.`,
  );
  expect(await numbersOf(model)).toEqual(before);
  await loadWeights(model, file('checkpoint, zip'));
  expect(await numbersOf(model)).toEqual(wanted);
  limits.atOnce = 1 << 28;
});

test('sources and options that are none', async () => {
  const bad: [source: string, options: Record<string, unknown>, message: string][] = [
    ['', {}, 'loadTorch: the source is an empty text. Give a path, an address, a File, or the bytes as Uint8Array.'],
    ['https:///', {}, "loadTorch: 'https:///' is no address. Give one such as https://host/model.safetensors."],
    ['a.pt', { signal: 3 }, 'loadTorch: signal is 3. Give the signal of an AbortController.'],
    ['a.pt', { sha256: 'abc' }, "loadTorch: sha256 is 'abc'. Give the 64 hexadecimal digits that sha256sum prints."],
    ['a.pt', { cach: true }, "loadTorch: there is no option 'cach'. Did you mean cache?"],
  ];
  for (const [source, options, message] of bad) {
    const reading = loadTorch(source, options);
    await expect(reading).rejects.toThrow(ArgumentError);
    await expect(reading).rejects.toThrow(message);
  }
});

test('a file that fails after it was checked is an error that says how far it came', async () => {
  limits.atOnce = 16;
  let reads = 0;
  const bytes = (): Promise<Uint8Array> =>
    ++reads > 1 ? Promise.reject(new Error('the disk is gone.')) : Promise.resolve(new Uint8Array(16).fill(64));
  const bias = new StoredTensor('float32', [4], { size: 16, file: undefined, bytes });
  const weight = tensor(new Float32Array(16), { shape: [4, 4] });
  const model = new Sequential(new Linear(4, 4), new Linear(4, 4));
  const source = { '0.weight': weight, '0.bias': bias, '1.weight': weight, '1.bias': bias };
  await expect(loadWeights(model, source)).rejects.toThrow(
    'loadWeights: the model has 3 of 4 tensors from the file, which then could not be read (the disk is gone). Load it again.',
  );
  limits.atOnce = 1 << 28;
});

test('as PyTorch: num_batches_tracked may be missing, and a number may be a list of one; tied weights need one key', async () => {
  const model = makeNet();
  const { '1.num_batches_tracked': _, ...others } = makeNet().stateDict();
  expect((await loadWeights(model, others)).missing).toEqual(['1.num_batches_tracked']);
  await loadWeights(model, { ...others, '1.num_batches_tracked': tensor([7], { dtype: 'int32' }) });
  expect((await numbersOf(model))['1.num_batches_tracked']).toEqual([7]);
  class Tied extends Module {
    first = { weight: new Parameter(zeros([2, 2])) };
    last = { weight: this.first.weight };
  }
  const tied = new Tied();
  expect(
    (
      await loadWeights(tied, {
        'first.weight': tensor([
          [1, 2],
          [3, 4],
        ]),
      })
    ).missing,
  ).toEqual([]);
  expect(await tied.last.weight.array()).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('shards: by their index, in a folder, as files of a page; an index that lies', async () => {
  const model = makeNet();
  const entries = Object.entries(model.stateDict());
  const shards = ['model-1.safetensors', 'model-2.safetensors'];
  const parts = [
    await toSafetensors(Object.fromEntries(entries.slice(0, 4))),
    await toSafetensors(Object.fromEntries(entries.slice(4))),
  ];
  const map = Object.fromEntries(entries.map(([key], i) => [key, shards[i < 4 ? 0 : 1]]));
  const index = (weight_map: unknown) => JSON.stringify({ metadata: { total_size: 1 }, weight_map });
  shards.forEach((name, i) => put(name, parts[i]));
  const path = put('model.safetensors.index.json', index(map));
  shards.forEach((name, i) => (served[`/m/${name}`] = parts[i]));
  served['/m/model.safetensors.index.json'] = new TextEncoder().encode(index(map));
  asked = [];
  const files = [
    ...parts.map((bytes, i) => new File([bytes as Uint8Array<ArrayBuffer>], shards[i])),
    new File([index(map)], 'index.json'),
  ];
  const remote = `${address}/m/model.safetensors.index.json`;
  const expected = await numbersOf(model);
  for (const source of [path, folder, remote, files, files.slice(0, 2)]) {
    const other = makeNet();
    await loadWeights(other, source, { cache: false });
    expect(await numbersOf(other)).toEqual(expected);
  }
  expect((await openTensors('x', folder)).shards).toEqual(shards);
  put('model.safetensors.index.json', index({ ...map, 'more.weight': shards[0] }));
  await expect(loadWeights(model, path)).rejects.toThrow(
    `model-1.safetensors has no tensor 'more.weight', which the index says it has.`,
  );
  put('model.safetensors.index.json', index({ a: '../../etc/passwd' }));
  await expect(loadWeights(model, path)).rejects.toThrow(`names '../../etc/passwd', which is no file beside it.`);
  put('model.safetensors.index.json', '{"weight_map": 3}');
  await expect(loadWeights(model, path)).rejects.toThrow('has no weight_map');
});

test('addresses: fetched once, with progress and a checksum', async () => {
  const bytes = file('checkpoint, zip');
  served['/model.pt'] = bytes;
  asked = [];
  const url = `${address}/model.pt`;
  const heard: number[] = [];
  const onProgress = ({ received }: { readonly received: number }) => void heard.push(received);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  for (let i = 0; i < 2; i++) await loadWeights(makeNet(), url, { onProgress });
  await loadWeights(makeNet(), new URL(url), { sha256: sha256.toUpperCase() });
  expect(asked).toEqual(['/model.pt', '/model.pt']); // with a digest it is another file
  expect(heard.at(-1)).toBe(bytes.length);
  expect(readdirSync(join(folder, 'cache/nabla/weights')).every((name) => name.endsWith('-model.pt'))).toBe(true);
  await loadWeights(makeNet(), url, { cache: false, onProgress });
  expect(asked.length).toBe(3);
  await expect(loadWeights(makeNet(), bytes, { sha256: 'a'.repeat(64) })).rejects.toThrow(
    `loadWeights: the source has the SHA-256 ${sha256}, and ${'a'.repeat(64)} was expected.`,
  );
  await expect(loadWeights(makeNet(), url, { sha256: 'a'.repeat(64) })).rejects.toThrow(/was expected/);
  await expect(loadWeights(makeNet(), `${address}/none.pt`)).rejects.toThrow(/none\.pt answers 404/);
});

test('what is no file of weights', async () => {
  const model = makeNet();
  const cases: [WeightSource, typeof NablaError | typeof FormatError, string][] = [
    [join(folder, 'none.pt'), NablaError, 'none.pt cannot be read (there is no such file or folder)'],
    [new Uint8Array(0), FormatError, 'is empty'],
    [new TextEncoder().encode('<!DOCTYPE html><html>'), FormatError, 'is a web page, not a file of weights'],
    [
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid'),
      FormatError,
      'is a pointer of Git LFS',
    ],
    [new TextEncoder().encode('GGUF..........'), FormatError, 'is a GGUF file'],
    [new TextEncoder().encode('0123456789'), FormatError, 'is in no format that is read'],
    [Uint8Array.of(0x50, 0x4b, 5, 6, ...new Array<number>(18).fill(0)), FormatError, 'is an empty zip archive'],
  ];
  for (const [source, kind, text] of cases) {
    const error = await loadWeights(model, source).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(text);
  }
  // @ts-expect-error a number is no source
  await expect(loadWeights(model, 7)).rejects.toThrow(ArgumentError);
  // @ts-expect-error numbers are no tensors
  await expect(loadWeights(model, { a: 1 })).rejects.toThrow(`'a'`);
  // @ts-expect-error no such dtype of a model
  await expect(loadWeights(model, file('checkpoint, zip'), { dtype: 'int32' })).rejects.toThrow(DTypeError);
  await expect(loadWeights(model, file('checkpoint, zip'), { sha256: 'x' })).rejects.toThrow(
    'Give the 64 hexadecimal digits',
  );
});

test('npz files: what NumPy saved under the names of parameters', async () => {
  const { default: data } = await import('../../../test/fixtures/data.json', { with: { type: 'json' } });
  for (const name of ['npz', 'npzCompressed'] as const) {
    const { tensors } = await openTensors('x', bytesOfBase64(data.files[name]));
    expect(await described(tensors.get('labels')!)).toEqual({ tensor: 'int64', shape: [2], data: [7, -1] });
    const model = new Sequential(new Linear(3, 2, { bias: false }));
    await loadWeights(model, bytesOfBase64(data.files[name]), { map: { weights: '0.weight', labels: null } });
    expect(await model.parameters()[0].array()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  }
});
