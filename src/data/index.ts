// The public surface of `nabla/data`.

export { ArrayDataset, type Batch, type Column, type Dataset, type Parts, type SplitOptions } from './dataset.js';
export { DataLoader, type DataLoaderOptions } from './loader.js';
export { digits } from './digits.js';
