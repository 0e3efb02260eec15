// Drawings and scans are dark on light, and most sets of digits light on dark: a network that has learned the one knows nothing
// of the other. What lies around a picture tells which it is.

export type Background = 'black' | 'white';

/** What a picture has around it: the median of its outermost pixels says whether that is the lighter or the darker part. */
export function backgroundOf(pixels: ArrayLike<number>, [channels, height, width]: readonly number[]): Background {
  const edge: number[] = [];
  let all = 0;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = pixels[(c * height + y) * width + x];
        all += value;
        if (y > 0 && x > 0 && y < height - 1 && x < width - 1) continue;
        edge.push(value);
      }
    }
  }
  // the median, as what is drawn may reach the edge
  const middle = edge.sort((a, b) => a - b)[Math.floor(edge.length / 2)];
  return middle > 0.5 && middle >= all / (channels * height * width) ? 'white' : 'black';
}

/** Inverts, in place, the pictures (numbers from 0 to 1) that have another background; gives whether each one was. */
export function invertForeign(pixels: Float32Array, shape: readonly number[], background: Background): boolean[] {
  const size = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: pixels.length / size }, (_, i) => {
    const own = pixels.subarray(i * size, (i + 1) * size);
    if (backgroundOf(own, shape) === background) return false;
    for (let k = 0; k < size; k++) own[k] = 1 - own[k];
    return true;
  });
}
