import type { run } from '../compute/components.js';
import source from 'source:../compute/components.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { extent, hue, lines, upright } from '../frame/marks.js';
import type { Box, Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

/** 64 numbers as a picture: ink for pixels, both colours for a direction. */
function tile(plot: Plot, data: Float32Array, into: Box, isDirection = false): void {
  const most = isDirection ? extent(data.map(Math.abs))[1] : 1;
  plot.heat(upright(data, 8, 8), 8, 8, {
    scale: (v) => v / most,
    low: isDirection ? 'class-0' : 'canvas',
    high: isDirection ? 'class-1' : 'ink',
    strength: 1,
    smooth: false,
    into,
  });
  plot.frame(into.x0, into.y0, into.x1 - into.x0, into.y1 - into.y0, plot.colour('rule'), 1);
}

let places: Float32Array = new Float32Array();

export const components: Figure<FrameOf<typeof run>> = {
  name: 'components',
  title: 'Principal components of digits',
  text: `<p>A digit of 8×8 pixels is a point in 64 dimensions. The principal components are the directions along which 500 digits differ most: look at them below, blue where a
    direction takes ink away and orange where it adds some. In the plane of the first two, like digits already lie together, although nobody told their classes. A few directions
    give back most of a digit: drag their number, and click a digit in the plane.</p>`,
  formula:
    '\\Sigma=\\tfrac1{n-1}\\sum_i (x_i-\\mu)(x_i-\\mu)^\\top,\\qquad \\Sigma v_k=\\lambda_k v_k,\\qquad \\hat x=\\mu+\\sum_{k\\le K}\\bigl(v_k^\\top(x-\\mu)\\bigr)v_k',
  source,
  controls: {
    components: { kind: 'range', label: 'K, directions that are kept', value: 8, min: 1, max: 64, step: 1 },
    index: { kind: 'range', label: 'Which digit', value: 12, min: 0, max: 499, step: 1 },
    across: { kind: 'range', label: 'Direction across', value: 1, min: 1, max: 12, step: 1 },
    up: { kind: 'range', label: 'Direction up', value: 2, min: 1, max: 12, step: 1 },
  },
  views: [
    { name: 'plane', label: 'All digits along two directions; click one' },
    { name: 'share', label: 'Share of the variance that so many directions keep' },
    {
      name: 'pictures',
      label: 'The digit, what is left of it; below, the mean and twelve directions',
      wide: true,
      aspect: 0.5,
      tall: 250,
    },
  ],
  point(view, x, y): Settings {
    if (view !== 'plane' || places.length === 0) return {};
    let [nearest, least] = [0, Infinity];
    for (let i = 0; i < places.length / 2; i++) {
      const distance = (places[2 * i]! - x) ** 2 + (places[2 * i + 1]! - y) ** 2;
      if (distance < least) [nearest, least] = [i, distance];
    }
    return { index: nearest };
  },
  draw({ plane, share, pictures }, frame) {
    const { labels, directions, mean, pixels, rebuilt, kept, components: count, index } = frame;
    places = frame.plane;
    const [x0, x1] = extent(places.filter((_, i) => i % 2 === 0));
    const [y0, y1] = extent(places.filter((_, i) => i % 2 === 1));
    plane!.begin({ x0: x0 - 0.2, x1: x1 + 0.2, y0: y0 - 0.2, y1: y1 + 0.2 });
    labels.forEach((label, i) => plane!.text(`${label}`, places[2 * i]!, places[2 * i + 1]!, { align: 'center', colour: hue(label) })); // prettier-ignore
    plane!.ring(places[2 * index]!, places[2 * index + 1]!, plane!.colour('ink'), 11);

    share!.begin({ x0: 0, x1: 64, y0: 0, y1: 1.03 }, { axes: true });
    share!.line([[count, 0], [count, kept[count - 1]!], [0, kept[count - 1]!]], share!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
    lines(share!, [0, ...kept.map((_, i) => i + 1)], [{ values: [0, ...kept], colour: share!.colour('class-0'), width: 2.5 }]); // prettier-ignore
    share!.dot(count, kept[count - 1]!, share!.colour('class-1'), { radius: 6 });

    const { width, height } = pictures!;
    pictures!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const gap = 8;
    const columns = width < 500 ? 7 : 13;
    const rows = Math.ceil(13 / columns);
    const small = Math.min((width - gap) / columns - gap, (0.45 * height) / rows - gap);
    const large = height - rows * (small + gap) - 40;
    const middle = width / 2;
    const pair = [[pixels, 'the digit', middle - large - gap], [rebuilt, `from ${count} directions`, middle + gap]] as const; // prettier-ignore
    for (const [data, words, left] of pair) {
      tile(pictures!, data, { x0: left, x1: left + large, y0: -gap - large, y1: -gap });
      pictures!.text(words, left + large / 2, -gap - large - 12, {
        align: 'center',
        colour: pictures!.colour('muted'),
      });
    }
    const begin = (width - columns * (small + gap) + gap) / 2;
    for (let k = 0; k < 13; k++) {
      const [left, top] = [
        begin + (k % columns) * (small + gap),
        -height + (rows - Math.floor(k / columns)) * (small + gap),
      ];
      const into = { x0: left, x1: left + small, y0: top - small, y1: top };
      if (k === 0) tile(pictures!, mean, into);
      else tile(pictures!, directions.subarray(64 * (k - 1), 64 * k), into, true);
    }
  },
};
