// Imported by run.ts as './network.js', as TypeScript has it.
import { Linear, ReLU, Sequential } from 'nabla/nn';

export const createNetwork = (hidden: number) =>
  new Sequential(new Linear(2, hidden), new ReLU(), new Linear(hidden, 2));
