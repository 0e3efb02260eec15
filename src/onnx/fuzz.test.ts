// Damaged ONNX files: an error that says so, or a model; never another error, and no memory beyond the file's size.
// NABLA_FUZZ_SEED repeats a run; NABLA_FUZZ_COUNT: mutations.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FormatError } from '../index.js';
import { parseZip } from '../io/formats/zip.js';
import { HostRandom } from '../tensor/host-random.js';
import { watchAllocations } from '../../test/support/allocations.js';
import { mutate } from '../../test/support/mutate.js';
import { OnnxError, loadOnnx } from './index.js';

const seed = Number(process.env['NABLA_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const count = Number(process.env['NABLA_FUZZ_COUNT'] ?? 1500);
const allocations = watchAllocations();
const fixture = fileURLToPath(new URL('../../test/fixtures/onnx-nodes.zip', import.meta.url));

interface Index {
  readonly tests: Readonly<Record<string, { readonly model: readonly [begin: number, length: number] }>>;
}

/** Models of all kinds: subgraphs, functions, tensors in attributes. */
const KINDS = ['_loop', '_if', '_scan', '_constant', '_lstm', '_conv_', '_resize', '_batchnorm', '_einsum'];

test(`mutations of models (NABLA_FUZZ_SEED=${seed})`, { timeout: 60_000 }, async () => {
  const archive = await parseZip(readFileSync(fixture));
  const { tests } = JSON.parse(new TextDecoder().decode(archive.get('index.json'))) as Index;
  const blob = archive.get('tests.bin') as Uint8Array;
  const files = Object.entries(tests)
    .filter(([name]) => KINDS.some((kind) => name.includes(kind)))
    .map(
      ([
        ,
        {
          model: [begin, length],
        },
      ]) => blob.slice(begin, begin + length),
    );
  expect(files.length).toBeGreaterThan(8);
  const random = new HostRandom(seed);
  for (let i = 0; i < count; i++) {
    const bytes = mutate(files[i % files.length], random);
    allocations.largest = 0;
    try {
      await loadOnnx(bytes);
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof OnnxError))
        throw new Error(`mutation ${i}: ${String(error)}`, { cause: error });
    }
    if (allocations.largest > 100 * bytes.length + 4096)
      throw new Error(`mutation ${i} asks for ${allocations.largest} bytes`);
  }
});
