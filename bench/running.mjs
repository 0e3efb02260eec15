// A captured function as something to measure.

/** Results are freed at once, as a framework that counts references would: reusing memory is part of the figure. */
export function running({ compile }, { fn, inputs }) {
  const step = compile(fn);
  return async () => {
    for (const result of [await step(...inputs)].flat()) result[Symbol.dispose]();
  };
}
