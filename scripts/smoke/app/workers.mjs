// Two worker threads make the batches that this thread makes, and the process ends by itself afterwards.
import { DataLoader, workerDataset } from 'nabla/data';

const dataset = await workerDataset(new URL('./samples.mjs', import.meta.url), { count: 40 });
async function epoch(workers) {
  const batches = [];
  for await (const { x, y } of new DataLoader(dataset, { batchSize: 8, shuffle: true, seed: 5, workers })) {
    batches.push([...(await x.data()), ...(await y.data())]);
  }
  return JSON.stringify(batches);
}
const [here, there] = [await epoch(0), await epoch(2)];
console.log(JSON.stringify({ batches: JSON.parse(here).length, same: here === there }));
