import type { run } from '../compute/gates.js';
import source from 'source:../compute/gates.ts';
import type { Figure, Settings } from '../frame/figure.js';
import { legend, lines, matrix } from '../frame/marks.js';
import type { FrameOf } from './frame-of.js';

/** Where the rows of the last drawing stood: a click chooses a unit. */
let rows = { top: 0, line: 1 };

export const gates: Figure<FrameOf<typeof run>> = {
  name: 'gates',
  title: 'An LSTM reads, and remembers',
  text: `<p>An LSTM learns what comes next in texts whose brackets always close. To know whether a bracket may close it has to count those that are open, and after some training
    one of its twelve units does: its memory c moves by a step with each “(” and back with each “)”, up or down. Watch its gates: <i>forget</i> stays near one to keep the count, <i>input</i>
    opens at brackets. Click a row to see its unit as lines; type a text of your own.</p>`,
  formula:
    '\\begin{aligned}f&=\\sigma(W_f[x,h]+b_f)&i&=\\sigma(W_i[x,h]+b_i)&o&=\\sigma(W_o[x,h]+b_o)\\\\c&\\leftarrow f\\odot c+i\\odot\\tanh(W_g[x,h]+b_g)&h&=o\\odot\\tanh c\\end{aligned}',
  source,
  controls: {
    text: { kind: 'text', label: 'Text of a b c ( )', value: 'ab(c(a)b(cc(b)a))bc(a)cb' },
    shown: {
      kind: 'choice',
      label: 'Large picture',
      value: 'c',
      options: { c: 'Memory c', f: 'Forget gate f', i: 'Input gate i', o: 'Output gate o', h: 'Output h' },
      live: true,
    },
    unit: { kind: 'range', label: 'Unit', value: 4, min: 1, max: 12, step: 1, live: true },
    steps: { kind: 'range', label: 'Stops learning after steps', value: 500, min: 0, max: 2000, step: 10 },
    seed: { kind: 'range', label: 'Seed', value: 1, min: 0, max: 20, step: 1 },
  },
  views: [
    {
      name: 'states',
      label: 'All units (rows) at each character; at the right how each follows the depth',
      wide: true,
      aspect: 0.42,
      least: 270,
    },
    {
      name: 'lines',
      label: 'One unit: its gates from 0 to 1, its memory, and the number of open brackets (dots)',
      wide: true,
      aspect: 0.32,
      least: 200,
    },
    { name: 'loss', label: 'Loss on each batch', wide: true, aspect: 0.16 },
  ],
  point(view, _x, y): Settings {
    const unit = Math.floor((rows.top - y) / rows.line) + 1;
    return view === 'states' && unit >= 1 && unit <= 12 ? { unit } : {};
  },
  draw({ states, lines: plot, loss }, { text, depth, states: found, correlations, unit, shown, losses }) {
    const { width, height } = states!;
    states!.begin({ x0: 0, x1: width, y0: -height, y1: 0 });
    const data = { c: found.c, f: found.f, i: found.i, o: found.o, h: found.h }[shown] ?? found.c;
    const [units, time] = [data[0]!.length, data.length];
    const isGate = shown === 'f' || shown === 'i' || shown === 'o';
    const flat = Float32Array.from({ length: units * time }, (_, k) => {
      const value = data[k % time]![Math.floor(k / time)]!;
      return isGate ? 2 * value - 1 : Math.tanh(value);
    });
    const into = { x0: 30, x1: width - 56, y0: 6 - height, y1: -22 };
    rows = { top: into.y1, line: (into.y1 - into.y0) / units };
    matrix(states!, flat, [units, time], into, { above: [...text], beside: correlations.map((_, k) => `${k + 1}`) });
    correlations.forEach((r, k) => {
      const y = into.y1 - (k + 0.5) * rows.line;
      const colour = states!.colour(Math.abs(r) > 0.8 ? 'class-1' : 'muted');
      states!.text(r.toFixed(2).replace('-', '−'), width - 8, y, { align: 'right', colour });
    });
    states!.frame(
      into.x0 - 2,
      into.y1 - (unit + 1) * rows.line,
      into.x1 - into.x0 + 4,
      rows.line,
      states!.colour('ink'),
      2,
    );

    const at = data.map((_, t) => t);
    const memory = found.c.map((row) => row[unit]!);
    const [low, high] = [Math.min(-0.2, ...memory), Math.max(3.3, ...memory)];
    plot!.begin({ x0: 0, x1: time - 1, y0: low - 0.2, y1: high + 0.2 }, { axes: true });
    lines(plot!, at, [
      { values: found.f.map((row) => row[unit]!), colour: plot!.colour('class-2'), width: 1.6 },
      { values: found.i.map((row) => row[unit]!), colour: plot!.colour('class-0'), width: 1.6 },
      { values: found.o.map((row) => row[unit]!), colour: plot!.colour('class-3'), width: 1.6 },
      { values: memory, colour: plot!.colour('class-1'), width: 3 },
    ]);
    depth.forEach((d, t) => plot!.dot(t, d, plot!.colour('muted'), { radius: 3 }));
    [...text].forEach((c, t) => plot!.beside(c, t, low - 0.2, -9, plot!.colour('ink')));
    legend(plot!, [
      ['memory c', plot!.colour('class-1')],
      ['forget f', plot!.colour('class-2')],
      ['input i', plot!.colour('class-0')],
      ['output o', plot!.colour('class-3')],
    ]); // prettier-ignore
    loss!.begin({ x0: 0, x1: Math.max(50, losses.length), y0: 0.6, y1: 1.7 }, { axes: true });
    lines(loss!, losses.map((_, k) => k + 1), [{ values: losses, colour: loss!.colour('ink'), width: 1.5 }]); // prettier-ignore
  },
};
