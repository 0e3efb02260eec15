// A run of one's own in TypeScript, as `nabla train ./run.ts` loads it.
import { tensor } from 'nabla';
import { DataLoader, TensorDataset } from 'nabla/data';
import { crossEntropy } from 'nabla/nn';
import { AdamW } from 'nabla/optim';
import { defineRun } from 'nabla/train';
import { createNetwork } from './network.js';

const corners: readonly (readonly number[])[] = [[0, 0], [0, 1], [1, 0], [1, 1]]; // prettier-ignore

export default defineRun({
  name: 'xor',
  title: 'Exclusive-or',
  settings: { epochs: 60, lr: 0.05, hidden: 16 },
  create({ epochs, lr, hidden }) {
    const model = createNetwork(hidden);
    const data = new TensorDataset({ x: tensor(corners), y: tensor([0, 1, 1, 0], { dtype: 'int32' }) });
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr }),
      train: new DataLoader(data, { batchSize: 4 }),
      forward: (_, { x, y }) => ({ loss: crossEntropy(model.forward(x), y) }),
      epochs,
    };
  },
});
