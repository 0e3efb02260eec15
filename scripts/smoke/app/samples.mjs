// The dataset of workers.mjs, as worker threads load it.
export default ({ count }) => ({
  length: count,
  get: (index, random) => ({ x: Float32Array.of(index, random.uniform()), y: index % 3 }),
});
