// Inputs and outputs of ONNX models in files, and the comparison with what a model gives.
import type { NpyArray } from '../../src/io/formats/npy.js';
import type { OnnxModel } from '../../src/onnx/index.js';

export interface InOut {
  readonly in: Record<string, NpyArray>;
  readonly out: Record<string, NpyArray>;
}

/** Arrays called `in0/<name>`, `out0/<name>`, `in1/…`, or `in_<name>` where there is one set. */
export function setsOf(arrays: Readonly<Record<string, NpyArray>>): InOut[] {
  const sets = new Map<string, InOut>();
  for (const [key, array] of Object.entries(arrays)) {
    const [, kind, number, name] = /^(in|out)(\d*)[/_]([^]*)$/.exec(key) ?? [];
    const set = sets.get(number) ?? { in: {}, out: {} };
    sets.set(number, set);
    set[kind as 'in' | 'out'][name] = array;
  }
  return [...sets.values()];
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** What differs between the outputs of a run and those that are wanted; undefined for nothing. */
export async function differenceOf(
  model: OnnxModel,
  set: InOut,
  { rtol, atol }: Tolerance,
): Promise<string | undefined> {
  const outputs = await model.run(set.in);
  for (const [name, { data, shape }] of Object.entries(set.out)) {
    const output = outputs[name];
    if (output === undefined) return `there is no output ${name}`;
    if (output.shape.join() !== shape.join()) return `${name} is [${output.shape.join()}], not [${shape.join()}]`;
    const type = model.outputs.find((value) => value.name === name)?.dtype;
    // half precision rounds after each operator
    const relative = Math.max(rtol, type === 'bfloat16' ? 2e-2 : type === 'float16' ? 2e-3 : 1e-5);
    const absolute = Math.max(atol, type === 'float16' ? 1e-3 : 1e-6);
    const numbers = await output.data();
    for (let i = 0; i < data.length; i++) {
      const [wanted, got] = [Number(data[i]), numbers[i]];
      if (Object.is(wanted, got) || wanted === got) continue;
      if (!(Math.abs(wanted - got) <= absolute + relative * Math.abs(wanted)))
        return `${name}[${i}] is ${got}, not ${wanted}`;
    }
  }
  return undefined;
}
