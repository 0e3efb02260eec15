// `nabla inspect` and `nabla convert`: tables, JSON, files that other programs read again, and what is refused.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import data from '../../test/fixtures/data.json' with { type: 'json' };
import fixture from '../../test/fixtures/torch-files.json' with { type: 'json' };
import { commandLine } from '../../test/support/command-line.js';
import { writeModel } from '../../test/support/onnx-writer.js';
import { bytesOfBase64, described } from '../../test/support/torch-files.js';
import { parseNpz } from '../data/index.js';
import { setDevice } from '../index.js';
import { formatSafetensors, loadTorch, parseSafetensors } from '../io/index.js';
import { openTensors } from '../io/tensor-file.js';

setDevice('reference');

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-files-'));
  const put = (name: string, bytes: Uint8Array) => writeFileSync(at(name), bytes);
  put('checkpoint.pt', bytesOfBase64(fixture.read['checkpoint, legacy'].file));
  put('parallel.pt', bytesOfBase64(fixture.read['data parallel'].file));
  put('dtypes.pt', bytesOfBase64(fixture.read['dtypes, zip'].file));
  put('evil.pt', bytesOfBase64(fixture.refuse['os.system, zip'].file));
  put('labels.npz', bytesOfBase64(data.files.npzCompressed));
  put(
    'odd.safetensors',
    formatSafetensors(
      { w: { dtype: 'float32', shape: [4], data: Float32Array.of(1, 3, NaN, Infinity) } },
      { note: 'a\u001b[31m' },
    ),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One command line: its exit code, and what it prints. */
const nabla = (...args: string[]) => commandLine(args, folder);

test('inspect: tensors, values beside them, totals', async () => {
  const { code, out } = await nabla('inspect', at('checkpoint.pt'));
  expect(code).toBe(0);
  expect(out).toMatch(/^…\/checkpoint\.pt {2}PyTorch \(torch\.save before 1\.6\), [\d.]+ KiB\n/);
  expect(out).toMatch(/\n {2}epoch +1\n/);
  expect(out).toMatch(/\n {2}optimizer_state_dict\.param_groups\.0\.lr +0\.01\n/);
  expect(out).toMatch(/\nmodel_state_dict\.0\.weight +float32 +\[4, 3\] +48\n/);
  expect(out).toMatch(/\n27 tensors, 117 numbers, 472 B: float32 26, int64 1\n$/);
  const below = await nabla('inspect', at('checkpoint.pt'), '--key', 'model_state_dict');
  expect(below.out).toMatch(/\nkey +dtype +shape +bytes\n0\.weight +float32/);
  expect((await nabla('inspect', at('checkpoint.pt'), '--key', 'ema')).err).toBe(
    `nabla: …/checkpoint.pt has nothing called 'ema'. There are epoch, model_state_dict, optimizer_state_dict, scheduler.\n`,
  );
});

test('inspect: statistics, and as JSON', async () => {
  const { out } = await nabla('inspect', at('odd.safetensors'), '--stats');
  expect(out).toMatch(/ {2}note +a\\u001b\[31m\n/);
  expect(out).toMatch(/w +float32 +\[4\] +16 +2\.000 +1\.000 +1\.000 +3\.000 +2\n/);
  const json = await nabla('inspect', at('odd.safetensors'), '--stats', '--json');
  expect(
    json.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    { format: 'safetensors', bytes: expect.any(Number), tensors: 1 },
    { key: 'note', value: 'a\\u001b[31m' },
    { key: 'w', dtype: 'float32', shape: [4], bytes: 16, mean: 2, std: 1, least: 1, largest: 3, notFinite: 2 },
  ]);
  const dtypes = await nabla('inspect', at('dtypes.pt'), '--json');
  expect(dtypes.out.trimEnd().split('\n').length).toBe(18);
  expect((await nabla('inspect', at('labels.npz'))).out).toMatch(/labels +int64 +\[2\] +16\n/);
});

test('inspect: what is refused, in one line', async () => {
  const { code, err } = await nabla('inspect', at('evil.pt'));
  expect([code, err.split('\n').length]).toEqual([2, 2]);
  expect(err).toMatch(/^nabla: loadTorch: …\/evil\.pt: the pickle asks for posix\.system/);
  expect((await nabla('inspect', at('none.pt'))).err).toBe(
    'nabla: cannot read …/none.pt: there is no such file or folder.\n',
  );
  mkdirSync(at('empty'));
  expect((await nabla('inspect', at('empty'))).err).toMatch(/the folder …\/empty has no weights in it/);
});

test('convert: a checkpoint to safetensors and npz and back, dtypes and all', async () => {
  expect((await nabla('convert', at('checkpoint.pt'), at('a.safetensors'))).out).toBe(
    '…/a.safetensors: 9 tensors below model_state_dict, 176 B\n',
  );
  const state = (await loadTorch(at('checkpoint.pt'))).stored('model_state_dict');
  const { tensors, metadata } = parseSafetensors(readFileSync(at('a.safetensors')));
  expect(metadata).toEqual({ format: 'pt' });
  expect(new Set(Object.keys(tensors))).toEqual(new Set(Object.keys(state)));
  await nabla('convert', at('a.safetensors'), at('b.npz'));
  const arrays = await parseNpz(readFileSync(at('b.npz')));
  expect(arrays['1.num_batches_tracked'].dtype).toBe('int64');
  await nabla('convert', at('b.npz'), at('c.safetensors'));
  const last = await openTensors('test', at('c.safetensors'));
  for (const [key, tensor] of Object.entries(state))
    expect(await described(last.tensors.get(key)!)).toEqual(await described(tensor));
});

test('convert: to a file of PyTorch, which is read again', async () => {
  await nabla('convert', at('checkpoint.pt'), at('new.pt'));
  const [before, after] = [await loadTorch(at('checkpoint.pt')), await loadTorch(at('new.pt'))];
  const [state, again] = [before.stored('model_state_dict'), after.stored()];
  expect([after.layout, Object.keys(again)]).toEqual(['zip', Object.keys(state)]);
  for (const [key, tensor] of Object.entries(state))
    expect(await described(again[key])).toEqual(await described(tensor));
  // every dtype that PyTorch has
  expect((await nabla('convert', at('dtypes.pt'), at('dtypes2.pth'))).out).toMatch(/17 tensors, [\d.]+ K?i?B\n$/);
  const dtypes = (await loadTorch(at('dtypes.pt'))).stored();
  for (const [key, tensor] of Object.entries((await loadTorch(at('dtypes2.pth'))).stored()))
    expect(await described(tensor)).toEqual(await described(dtypes[key]));
  writeFileSync(
    at('many'),
    formatSafetensors(Object.fromEntries(Array.from({ length: 65_533 }, (_, i) => [`k${i}`, ONE]))),
  );
  expect((await nabla('convert', at('many'), at('many.pt'))).err).toMatch(
    /65533 tensors are more than the 65532 of a \.pt file/,
  );
  expect(existsSync(at('many.pt'))).toBe(false);
});

const ONE = { dtype: 'uint8', shape: [1], data: Uint8Array.of(1) } as const;

test('convert: weights of an ONNX model, those that lie in another file too', async () => {
  const weight = (name: string, external?: Record<string, string>) => ({
    name,
    dims: [3],
    data: [1, 2, 3],
    ...(external && { external }),
  });
  const model = writeModel({
    inputs: [{ name: 'x', dims: [3] }],
    outputs: [{ name: 'y' }],
    initializers: [
      weight('a.weight'),
      weight('b', { location: 'weights.bin' }),
      { name: 's', type: 7, dims: [1], data: [3] },
    ],
    nodes: [
      { op: 'Mul', in: ['x', 'a.weight'], out: ['t'] },
      { op: 'Unknown', in: ['t', 'b'], out: ['u'] },
      { op: 'Add', in: ['u', 'b'], out: ['v'] },
      { op: 'Reshape', in: ['v', 's'], out: ['y'] },
    ],
  });
  writeFileSync(at('w.onnx'), model);
  expect((await nabla('convert', at('w.onnx'), at('w.safetensors'))).err).toMatch(
    /weights\.bin: there is no such file/,
  );
  writeFileSync(at('weights.bin'), new Uint8Array(Float32Array.of(4, 5, 6).buffer));
  await nabla('convert', at('w.onnx'), at('w.safetensors'));
  const { tensors } = parseSafetensors(readFileSync(at('w.safetensors')));
  expect(
    Object.entries(tensors).map(([key, { shape, data: numbers }]) => [key, shape, [...(numbers as Float32Array)]]),
  ).toEqual([
    ['a.weight', [3], [1, 2, 3]],
    ['b', [3], [4, 5, 6]],
  ]);
});

test('convert: other keys, other dtypes, what a format lacks', async () => {
  const out = await nabla(
    'convert',
    at('parallel.pt'),
    at('d.safetensors'),
    '--map',
    'module=',
    '--map',
    'module.3=head',
    '--dtype',
    'float16',
  );
  expect(out.out).toBe('…/d.safetensors: 9 tensors below state_dict, 92 B; 8 × float32 → float16\n');
  const { tensors } = await openTensors('test', at('d.safetensors'));
  expect([...tensors.keys()].toSorted().join(' ')).toBe(
    '0.bias 0.weight 1.bias 1.num_batches_tracked 1.running_mean 1.running_var 1.weight head.bias head.weight',
  );
  expect([tensors.get('0.weight')!.dtype, tensors.get('1.num_batches_tracked')!.dtype]).toEqual(['float16', 'int64']);
  const lacks = await nabla('convert', at('dtypes.pt'), at('e.npz'), '--json');
  expect(JSON.parse(lacks.out)).toEqual({
    out: '…/e.npz',
    format: 'npz',
    tensors: 17,
    key: '',
    converted: { 'bfloat16 → float32': 1, 'float8_e4m3fn → float32': 1, 'float8_e5m2 → float32': 1 },
  });
  const complex = await nabla('convert', at('dtypes.pt'), at('f.safetensors'));
  expect(complex.err).toBe(
    `nabla: convert: 'complex128' is complex128, which safetensors cannot hold. Leave it out.\n`,
  );
  expect(existsSync(at('f.safetensors'))).toBe(false);
  expect((await nabla('convert', at('dtypes.pt'), at('f.txt'))).err).toMatch(
    /its format is not known\. Use a name that ends in \.safetensors, \.npz, \.pt or, for a network, \.onnx\./,
  );
  expect((await nabla('convert', at('dtypes.pt'), at('f.npz'), '--map', 'x')).err).toMatch(/Use old=new/);
});

test('files of somebody who means harm: pipes, circles, a header as long as a pickle begins, more than npz holds', async () => {
  for (const name of ['pipe', 'pipe.onnx', 'pipe.safetensors']) {
    if (process.platform === 'win32') break; // there are no such files there
    execFileSync('mkfifo', [at(name)]);
    expect((await nabla('inspect', at(name))).err).toBe(`nabla: cannot read …/${name}: it is not a plain file.\n`);
  }
  // A set in itself; 150 lists in each other, the first one in the last.
  const nested = Array.from({ length: 150 }, (_, i) => [0x5d, 0x71, i]).flat();
  const pickles = {
    set: [0x8f, 0x94, 0x28, 0x68, 0, 0x90],
    list: [...nested, 0x68, 0, ...Buffer.from('a'.repeat(150))],
  };
  for (const [name, body] of Object.entries(pickles)) {
    writeFileSync(at(name), Uint8Array.of(0x80, 4, ...body, 0x2e));
    expect(await nabla('inspect', at(name))).toMatchObject({ code: 0, err: '' });
  }
  // 128 bytes of header: 0x80 0x00, as a pickle begins.
  const key = 'k'.repeat(70);
  const short = formatSafetensors({ [key]: ONE });
  expect(short[0]).toBe(0x80);
  writeFileSync(at('short'), short);
  expect((await nabla('inspect', at('short'))).out).toContain(`\n${key}  uint8  [1]`);
  const refused = {
    'a key of 70000 bytes is too long for an npz file': { ['k'.repeat(70_000)]: ONE },
    "'deep' has 65 dimensions, too many for an npz file": { deep: { ...ONE, shape: Array<number>(65).fill(1) } },
    '65536 tensors are more than the 65535 of an npz file': Object.fromEntries(
      Array.from({ length: 65_536 }, (_, i) => [`k${i}`, ONE]),
    ),
  };
  for (const [reason, tensors] of Object.entries(refused)) {
    writeFileSync(at('odd'), formatSafetensors(tensors));
    const { code, err } = await nabla('convert', at('odd'), at('odd.npz'));
    expect([code, err]).toEqual([2, `nabla: convert: ${reason}. Write a safetensors file.\n`]);
    expect(existsSync(at('odd.npz'))).toBe(false);
  }
  const before = readFileSync(at('short'));
  writeFileSync(at('same.safetensors'), before);
  await nabla('convert', at('same.safetensors'), at('same.safetensors'));
  expect(parseSafetensors(readFileSync(at('same.safetensors')))).toEqual(parseSafetensors(before));
});

test('inspect: an ONNX model, and what stands in the way of one', async () => {
  const model = {
    inputs: [{ name: 'x', dims: ['batch', 3] }],
    outputs: [{ name: 'y' }],
    initializers: [{ name: 'w', dims: [3], data: [1, 2, 3] }],
  };
  const mul = { op: 'Mul', in: ['x', 'w'], out: ['y'] };
  writeFileSync(at('good.onnx'), writeModel({ ...model, nodes: [mul] }));
  const good = await nabla('inspect', at('good.onnx'));
  expect(good.out).toMatch(/^…\/good\.onnx {2}ONNX \(IR 8, opset 17\), \d+ B\n/);
  expect(good.out).toContain('input   x  float32 [batch, 3]\noutput  y  float32 of any rank\n');
  expect(good.out).toContain('\nMul  1  \n');
  expect(good.out).toContain('1 nodes, 3 parameters in 1 tensors, 12 B of constants\nnabla runs it.\n');
  writeFileSync(at('model'), writeModel({ ...model, nodes: [{ op: 'Magic', in: ['x'], out: ['t'] }, mul] }));
  const bad = await nabla('inspect', at('model'));
  expect(bad.out).toContain('nabla cannot run it:\n  Magic (opset 17) at "t": nabla does not have this operator\n');
  const json = JSON.parse((await nabla('inspect', at('model'), '--json')).out.split('\n')[0]) as Record<
    string,
    unknown
  >;
  expect([json['format'], json['opsets'], (json['problems'] as unknown[]).length]).toEqual(['onnx', { '': 17 }, 1]);
});
