// Walks over elements that do not lie row by row.

/** Calls `visit` for each index in order, the last one fastest: where its element is, and how many came before it. */
export function eachElement(
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
  visit: (from: number, i: number) => void,
): void {
  const size = shape.reduce((count, n) => count * n, 1);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < size; i++) {
    visit(from, i);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

/** Of elements that lie row by row: the last index fastest. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}
