import type { run } from '../compute/activations.js';
import source from 'source:../compute/activations.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { legend, lines } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

export const activations: Figure<FrameOf<typeof run>> = {
  name: 'activations',
  title: 'Activations and their gradients',
  text: `<p>Click or drag along the curve. Where the derivative is near zero the neuron is <i>saturated</i>: nothing that comes back through it reaches the weights before
    it. The sigmoid's derivative is a quarter at most, so a chain of ten sigmoids multiplies a gradient by less than a millionth; tanh keeps it near zero only; ReLU passes
    it whole or not at all (a <i>dead</i> neuron); its leaky relatives let a little through.</p>`,
  formula:
    "\\frac{\\partial h_L}{\\partial h_0}=\\prod_{l=1}^{L} w\\,f'(w\\,h_{l-1}),\\qquad \\sigma'(x)=\\sigma(x)(1-\\sigma(x))\\le\\tfrac14,\\qquad \\tanh'(x)=1-\\tanh^2(x)",
  source,
  controls: {
    activation: {
      kind: 'choice',
      label: 'Activation f',
      value: 'sigmoid',
      options: {
        sigmoid: 'Sigmoid',
        tanh: 'tanh',
        relu: 'ReLU',
        leaky: 'Leaky ReLU',
        elu: 'ELU',
        softplus: 'Softplus',
        silu: 'SiLU (swish)',
        gelu: 'GELU',
        linear: 'None',
      },
    },
    x: { kind: 'range', label: 'x', value: 1.5, min: -5, max: 5, step: 0.05 },
    slope: { kind: 'range', label: 'Slope of leaky ReLU, α of ELU', value: 0.1, min: 0, max: 1, step: 0.01 },
    layers: { kind: 'range', label: 'Layers of the chain', value: 10, min: 1, max: 20, step: 1 },
    weight: { kind: 'range', label: 'Its weight w', value: 1, min: 0.1, max: 4, step: 0.1 },
  },
  views: [
    { name: 'curve', label: 'The activation (blue), its derivative (orange), and the tangent at x' },
    { name: 'chain', label: 'Size of the gradient that comes back through so many layers' },
  ],
  point(view, x): Settings {
    return view === 'curve' ? { x: Math.round(Math.min(5, Math.max(-5, x)) * 20) / 20 } : {};
  },
  draw({ curve, chain }, { places, activation, derivative, at, chain: sizes }) {
    const least = Math.min(-0.25, Math.max(-2, 1.2 * Math.min(...activation)));
    curve!.begin({ x0: -5, x1: 5, y0: least, y1: Math.max(1.3, Math.min(3, Math.max(...activation))) }, { axes: true });
    curve!.line([[-5, 0], [5, 0]], curve!.colour('muted'), { width: 1 }); // prettier-ignore
    lines(curve!, places, [
      { values: derivative, colour: curve!.colour('class-1'), width: 2.5 },
      { values: activation, colour: curve!.colour('class-0'), width: 2.5 },
    ]);
    const { x, y, slope } = at;
    curve!.line([[x - 1.5, y - 1.5 * slope], [x + 1.5, y + 1.5 * slope]], curve!.colour('ink'), { width: 1.5, dash: [5, 4] }); // prettier-ignore
    curve!.dot(x, y, curve!.colour('class-0'), { radius: 6 });
    curve!.dot(x, slope, curve!.colour('class-1'), { radius: 6 });
    legend(curve!, [['f(x)', curve!.colour('class-0')], ['f′(x)', curve!.colour('class-1')]], { right: false }); // prettier-ignore

    const log = sizes.map((size) => Math.max(-12, Math.log10(size)));
    chain!.begin(
      { x0: -0.5, x1: log.length - 0.5, y0: Math.min(-2, ...log) - 0.3, y1: Math.max(1, ...log) + 0.3 },
      { axes: true, log: 'y', left: 56 },
    );
    chain!.line([[-0.5, 0], [log.length - 0.5, 0]], chain!.colour('muted'), { width: 1, dash: [4, 4] }); // prettier-ignore
    lines(chain!, log.map((_, i) => i), [{ values: log, colour: chain!.colour('class-1') }]); // prettier-ignore
    log.forEach((size, i) => chain!.dot(i, size, chain!.colour('class-1'), { radius: 4, hollow: sizes[i] === 0 }));
    if (sizes.includes(0)) legend(chain!, [['hollow: 0, nothing comes back', chain!.colour('muted')]]);
  },
};
