// Whole ONNX models against what onnxruntime and PyTorch compute of them. NABLA_MODELS is a folder of models: in each of its folders
// `<name>.onnx` beside `<name>.npz`, which holds `in0/<input>`, `out0/<output>`, `in1/…`; without it this is skipped.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseNpz } from '../src/io/formats/npy.js';
import { loadOnnx } from '../src/onnx/index.js';
import { setsOf } from './support/onnx-sets.js';

const root = process.env['NABLA_MODELS'] ?? '';
const folders = ['onnx', 'torch-onnx']
  .map((name) => join(root, name))
  .filter((path) => root !== '' && existsSync(path));
const models = folders.flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.onnx') && existsSync(join(folder, file.replace(/onnx$/, 'npz'))))
    .map((file) => join(folder, file)),
);

/** Half precision rounds after each operator. */
const ofHalf = (path: string): boolean => path.includes('slovorez');

describe.skipIf(models.length === 0)('ONNX models (skipped unless NABLA_MODELS has a folder of them)', () => {
  test.each(models)('%s', { timeout: 120_000 }, async (path) => {
    const model = await loadOnnx(path);
    const arrays = await parseNpz(readFileSync(path.replace(/onnx$/, 'npz')), path);
    for (const set of setsOf(arrays)) {
      const outputs = await model.run(set.in);
      for (const [name, { data, shape }] of Object.entries(set.out)) {
        const output = outputs[name];
        expect([name, output.shape]).toEqual([name, shape]);
        const numbers = await output.data();
        const wanted = Array.from(data, Number);
        const most = Math.max(...wanted.map(Math.abs));
        const tolerance = ofHalf(path) ? 1e-2 * most : 1e-4 * most + 1e-5;
        const worst = wanted.reduce((far, value, i) => Math.max(far, Math.abs(value - numbers[i])), 0);
        expect(worst / tolerance).toBeLessThan(1);
      }
    }
  });
});
