// Files of weights in every format, of a collection that is not part of this repository: set NABLA_MODELS to the folder that has it.
// The same network as safetensors, in shards, as pytorch_model.bin and in half precision; safetensors with what they hold.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FormatError, setDevice } from '../src/index.js';
import { parseSafetensors } from '../src/io/index.js';
import { openTensors } from '../src/io/tensor-file.js';
import { described } from './support/torch-files.js';

setDevice('reference');
const models = process.env['NABLA_MODELS'];
const at = (name: string): string => `${models}/formats/${name}`;

async function numbersOf(file: string): Promise<Map<string, number[]>> {
  const { tensors } = await openTensors('test', at(file));
  const numbers = new Map<string, number[]>();
  for (const [key, tensor] of tensors)
    numbers.set(key, Array.from<number | bigint, number>(await tensor.data(), Number));
  return numbers;
}

interface Described {
  readonly tensor: string;
  readonly shape: number[];
  readonly data: readonly unknown[];
}
interface Expected {
  readonly read: Readonly<Record<string, { metadata: unknown; tensors: Readonly<Record<string, Described>> }>>;
  readonly refuse: Readonly<Record<string, unknown>>;
}

describe.skipIf(models === undefined)('files of NABLA_MODELS (skipped where it is not set)', () => {
  test('one network in six files', async () => {
    const whole = await numbersOf('hf-tiny/bert');
    expect(whole.size).toBeGreaterThan(30);
    expect(await numbersOf('hf-tiny/bert/sharded')).toEqual(whole);
    const pickled = await numbersOf('hf-tiny/bert/pytorch_model.bin'); // has tied weights twice
    for (const [key, numbers] of whole) expect(pickled.get(key)).toEqual(numbers);
    for (const [folder, precision] of [
      ['fp16', 2 ** -10],
      ['bf16', 2 ** -7],
    ] as const)
      for (const [key, numbers] of await numbersOf(`hf-tiny/bert/${folder}`))
        numbers.forEach((value, i) => {
          const exact = whole.get(key)![i];
          expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) * precision + 1e-7);
        });
  });

  test('safetensors: what they hold, and those that are refused', async () => {
    const { read, refuse } = JSON.parse(readFileSync(at('safetensors/expected.json'), 'utf8')) as Expected;
    for (const [name, { metadata, tensors }] of Object.entries(read)) {
      const file = await openTensors('test', at(`safetensors/${name}`));
      expect({ ...file.metadata }).toEqual(metadata ?? {});
      expect(file.tensors.size).toBe(Object.keys(tensors).length);
      for (const [key, wanted] of Object.entries(tensors)) {
        const data = wanted.data.map((v) => (typeof v === 'string' ? { float: v } : Number(v)));
        expect(await described(file.tensors.get(key)!)).toEqual({ ...wanted, data });
      }
      expect(Object.keys(parseSafetensors(readFileSync(at(`safetensors/${name}`))).tensors).length).toBe(
        file.tensors.size,
      );
    }
    for (const name of Object.keys(refuse)) {
      await expect(openTensors('test', at(`safetensors/${name}`))).rejects.toThrow(FormatError);
      expect(() => parseSafetensors(readFileSync(at(`safetensors/${name}`)))).toThrow(FormatError);
    }
  });
});
