// Where in the data an index lies that turned out to be out of range: a label that is no class, a token beyond the vocabulary. The error
// comes from the captured step, which has numbers and no names; the batch that it was given has both.
// Must not know: what a batch means.

import { IndexError, tellMore } from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';

/** The tensors of whole numbers in a batch, by their paths: `y`, `tokens.ids`, `1`. */
function wholeNumbersIn(value: unknown, path: string): { path: string; tensor: AnyTensor }[] {
  if (value instanceof Tensor) {
    const { dtype }: AnyTensor = value;
    return dtype === 'int32' || dtype === 'uint8' ? [{ path: path === '' ? 'the batch' : path, tensor: value }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => wholeNumbersIn(part, path === '' ? key : `${path}.${key}`));
}

/** `y[3, 0]`: where a number is first met, in each field that has it. */
async function findNumber(batch: unknown, wanted: number): Promise<string[]> {
  const found: string[] = [];
  for (const { path, tensor } of wholeNumbersIn(batch, '')) {
    let rest = (await tensor.data()).indexOf(wanted);
    if (rest < 0) continue;
    const places: number[] = [];
    for (const size of tensor.shape.toReversed()) {
      places.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    found.push(`${path}[${places.join(', ')}]`);
  }
  return found;
}

/** Has an error about an index say where in these batches it is, where it can be seen; `nameOf` names each of them. Gives the error back. */
export async function tellData(
  error: unknown,
  batches: readonly unknown[],
  nameOf: (i: number) => string,
): Promise<unknown> {
  if (!(error instanceof IndexError) || error.index === undefined) return error;
  for (const [i, batch] of batches.entries()) {
    const found = await findNumber(batch, error.index);
    if (found.length === 0) continue;
    // Another field may have the number, too, where it is in range: only the model knows which of them was meant.
    tellMore(error, `In the data it is ${found.join(' or ')} of ${nameOf(i)}.`);
    return error;
  }
  if (batches.length === 1) tellMore(error, `It came with ${nameOf(0)}.`);
  return error;
}
