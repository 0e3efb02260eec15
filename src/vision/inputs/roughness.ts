// How rough pictures are: what keeps pictures smooth that are made by gradients.

import type { Tensor } from '../../tensor/tensor.js';

/** The sum of squared differences between neighbouring pixels of pictures [N, C, H, W]. */
export function roughness(x: Tensor): Tensor {
  const between = [2, 3].map((dim): Tensor => {
    const size = x.shape[dim];
    return x
      .slice(dim, 1, size)
      .sub(x.slice(dim, 0, size - 1))
      .square()
      .sum();
  });
  return between[0].add(between[1]);
}
