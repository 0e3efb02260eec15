// D1: operators in float64 beside float32, by turns: milliseconds of each, with a sum at the end, and how many times as long float64
// takes. Twice the bytes alone would make it two.

import { conv2d, randn, tensor } from 'nabla';
import { measureTurns, round } from './timing.mjs';

async function given(shape, dtype) {
  return tensor(await randn(shape, { dtype }).data(), { shape, dtype });
}

/** Each makes its operands in a dtype, and gives what is measured. */
const CASES = {
  async matmul(dtype) {
    const [a, b] = [await given([512, 512], dtype), await given([512, 512], dtype)];
    return () => a.matmul(b);
  },
  async conv2d(dtype) {
    const [x, w] = [await given([8, 32, 32, 32], dtype), await given([64, 32, 5, 5], dtype)];
    return () => conv2d(x, w);
  },
  ...ofMany({ exp: (x) => x.exp(), sin: (x) => x.sin(), pow: (x) => x.abs().pow(1.3) }),
  ...ofMany({ softmax: (x) => x.softmax(1), cumsum: (x) => x.cumsum(1) }),
};

/** Functions of 4 million numbers. */
function ofMany(functions) {
  const each = ([name, fn]) => [
    name,
    async (dtype) => {
      const x = await given([4000, 1000], dtype);
      return () => fn(x);
    },
  ];
  return Object.fromEntries(Object.entries(functions).map(each));
}

export async function doubles(report) {
  for (const [name, make] of Object.entries(CASES)) {
    const [narrow, wide] = [await make('float32'), await make('float64')];
    const run = (fn) => () => fn().sum().item();
    const { a, b, ratio } = await measureTurns(run(wide), run(narrow), { seconds: 2 });
    report({
      workload: `D1.${name}`,
      float32_ms: round(b.median, 2),
      float64_ms: round(a.median, 2),
      times: round(ratio, 2),
    });
  }
}
