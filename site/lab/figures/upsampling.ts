import type { run } from '../compute/upsampling.js';
import source from 'source:../compute/upsampling.ts';
import type { Figure } from '../frame/figure.js';
import { upright } from '../frame/marks.js';
import type { Plot } from '../frame/plot.js';
import type { FrameOf } from './frame-of.js';

function picture(
  plot: Plot,
  { data, size }: { readonly data: Float32Array; readonly size: number },
  high: string,
): void {
  plot.begin({ x0: 0, x1: 1, y0: 0, y1: 1 }, { inset: 6 });
  const most = data.reduce((m, v) => Math.max(m, v), 1e-6);
  plot.heat(upright(data, size, size), size, size, { scale: (v) => v / most, high, strength: 1, smooth: false });
  plot.frame(0, 0, 1, 1, plot.colour('rule'), 1);
}

export const upsampling: Figure<FrameOf<typeof run>> = {
  name: 'upsampling',
  title: 'Making maps larger again',
  text: `<p>A transposed convolution (“deconvolution”) puts its kernel, times each input number, onto the output at steps of the stride, and adds up where kernels
    overlap. If the kernel's size is no multiple of the stride, some places are written to more often than others: the <i>checkerboard</i> below, which no smooth
    kernel would have. Upsampling by nearest neighbours or bilinearly, followed by an ordinary convolution, has no such pattern.</p>`,
  formula: 'y_{\\,si+u-p,\\;sj+v-p}\\mathrel{+}=w_{u,v}\\,x_{i,j},\\qquad n_{\\text{out}}=s\\,(n-1)+k-2p',
  source,
  controls: {
    image: {
      kind: 'choice',
      label: 'Picture',
      value: 'digit',
      options: { digit: 'Digit, 8 × 8', shape: 'Shape, 16 × 16', impulse: 'One pixel' },
    },
    index: { kind: 'range', label: 'Which one', value: 3, min: 0, max: 59, step: 1 },
    stride: { kind: 'range', label: 'Stride s', value: 2, min: 1, max: 4, step: 1 },
    kernel: { kind: 'range', label: 'Kernel k', value: 3, min: 1, max: 8, step: 1 },
    weights: {
      kind: 'choice',
      label: 'Its weights',
      value: 'ones',
      options: { ones: 'all one', tent: 'a tent: bilinear' },
    },
    padding: { kind: 'range', label: 'Padding p', value: 0, min: 0, max: 3, step: 1 },
    mode: {
      kind: 'choice',
      label: 'Upsampling',
      value: 'bilinear',
      options: { nearest: 'Nearest', bilinear: 'Bilinear', bicubic: 'Bicubic' },
    },
  },
  views: [
    { name: 'input', label: 'The input' },
    { name: 'deconvolution', label: 'Transposed convolution' },
    { name: 'written', label: 'How much weight each place of it gets: the checkerboard' },
    { name: 'upsampled', label: 'Upsampling by interpolation' },
  ],
  draw({ input, deconvolution, written, upsampled }, frame) {
    picture(input!, frame.input, 'ink');
    picture(deconvolution!, frame.deconvolved, 'ink');
    picture(written!, frame.written, 'class-1');
    picture(upsampled!, frame.upsampled, 'ink');
  },
};
