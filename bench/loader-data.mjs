// The data set of L1: 4,000 images of bytes, cropped, flipped and normalised when they are asked for. A module of its own,
// so that worker threads can make it, too.

import { ArrayDataset } from 'nabla/data';
import { compose, normalize, randomCrop, randomHorizontalFlip } from 'nabla/data/transforms';
import { integers } from './hash.mjs';

const COUNT = 4000;

export default function makeImages() {
  const x = { data: Uint8Array.from(integers(1, COUNT * 3 * 32 * 32, 256)), shape: [3, 32, 32] };
  const y = { data: Int32Array.from(integers(2, COUNT, 10)), shape: [] };
  const change = compose(
    randomCrop(32, { padding: 4 }),
    randomHorizontalFlip(),
    normalize([0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]),
  );
  return new ArrayDataset({ x, y }).transformed('x', change);
}
