// A run of one's own in TypeScript, as `nabla train ./run.ts` loads it.
import { ArrayDataset, DataLoader } from 'nabla/data';
import { crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { defineRun } from 'nabla/train';
import { createNetwork } from './network.js';

export default defineRun({
  name: 'xor',
  title: 'Exclusive-or',
  settings: { epochs: 60, lr: 0.05, hidden: 16 },
  create({ epochs, lr, hidden }) {
    const model = createNetwork(hidden);
    const data = new ArrayDataset({
      x: { data: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1), shape: [2] },
      y: { data: Int32Array.of(0, 1, 1, 0), shape: [] },
    });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr }),
      train: new DataLoader(data, { batchSize: 4 }),
      forward: (_, { x, y }) => ({ loss: crossEntropy(model.forward(x), y) }),
      epochs,
    };
  },
});
