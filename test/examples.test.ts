// The examples run to their end and say what they promise.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';

/** Those whose parts are tested elsewhere take minutes together: NABLA_PARITY=all runs them. */
const isComplete = process.env['NABLA_PARITY'] === 'all';

test('digits', async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  await import('../examples/digits.js');
  log.mockRestore();
  expect(lines).toHaveLength(11);
  expect(Number(/test accuracy ([\d.]+) %/.exec(lines[10])?.[1])).toBeGreaterThan(95);
}, 60_000);

test('initialisation', async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  await import('../examples/initialisation.js');
  log.mockRestore();
  const experiments = lines.join('\n').split('\n\n');
  expect(experiments).toHaveLength(5);
  const rows = experiments.map((text) => [...text.matchAll(/^ +\d+ +(\S+) +(\S+)/gm)].map((m) => [+m[1], +m[2]]));
  expect(rows.map((r) => r.length)).toEqual([10, 10, 10, 10, 10]);
  const ratios = rows.map((r) => (r[9][0] / r[1][0]) ** (1 / 8)); // by how much a layer changes the variance
  const [small, big, tanh, relu, kaiming] = rows.map((r) => r.map(([variance]) => variance));
  expect(ratios[0]).toBeCloseTo(500 * 0.01 ** 2, 2); // tanh is linear near 0: n · σ²
  expect(small[9]).toBeLessThan(1e-12);
  expect(Math.min(...big)).toBeGreaterThan(0.9); // saturated at −1 and 1
  expect(Math.max(...tanh) / Math.min(...tanh)).toBeLessThan(10);
  expect(ratios[3]).toBeCloseTo(0.5, 1); // half of the data is killed in each layer
  expect(relu[9]).toBeLessThan(2e-3);
  expect(ratios[4]).toBeCloseTo(1, 1);
  expect(kaiming[9]).toBeGreaterThan(0.3);
  // the gradient shrinks by √(n · σ²) = 0.22 in each of nine layers: 1.4e-6, and Xavier keeps it within a factor of 10
  expect(rows[0][0][1]).toBeLessThan(1e-5 * rows[2][0][1]);
}, 60_000);

test('cartpole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-cartpole-'));
  const before = process.cwd();
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  process.chdir(folder);
  try {
    await import('../examples/cartpole.js');
    const file = readFileSync('cartpole.png');
    expect([file.readUInt32BE(16), file.readUInt32BE(20)]).toEqual([360, 120]);
    expect(file.includes('acTL')).toBe(true);
  } finally {
    log.mockRestore();
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
  const text = lines.join('\n');
  expect(Number(/100 episodes: ([\d.]+) of 500/.exec(text)?.[1])).toBeGreaterThan(400);
  expect(text).toMatch(/after \d+ steps:\n[\s\S]*[⠁-⣿]/); // whether a cell is full depends on where the cart is
}, 120_000);

test('grid worlds', async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  await import('../examples/grid-worlds.js');
  log.mockRestore();
  const text = lines.join('\n');
  const [q, sarsa] = [...text.matchAll(/mean return of the last 1000 episodes (\S+)/g)].map(([, value]) =>
    Number(value),
  );
  expect(sarsa).toBeGreaterThan(q + 5);
  expect(text).toMatch(/QLearning[\s\S]*→ → → → → → → → → → → ↓\n/); // along the edge
  const [, best, learned] = /worth: (\S+), learned (\S+)/.exec(text) ?? [];
  expect(Number(best)).toBeCloseTo(0.542, 2);
  expect(Math.abs(Number(learned) - Number(best))).toBeLessThan(0.15);
}, 60_000);

/** Runs an example in a folder of its own: what it printed and the files that it wrote. */
async function inFolder(run: () => Promise<unknown>): Promise<{ text: string; files: Record<string, Buffer> }> {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-example-'));
  const before = process.cwd();
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  process.chdir(folder);
  try {
    await run();
    const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(name)]));
    return { text: lines.join('\n'), files };
  } finally {
    log.mockRestore();
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
}

test('graphs', async () => {
  const { text, files } = await inFolder(() => import('../examples/graphs.js'));
  const tests = [...text.matchAll(/(GCN|GAT): validation \S+ %, test (\S+) %/g)].map(([, , share]) => Number(share));
  expect(tests).toHaveLength(2);
  expect(Math.min(...tests)).toBeGreaterThan(85);
  expect(Object.keys(files)).toEqual(['graphs-gat.svg', 'graphs-gcn.svg']);
}, 60_000);

test('inputs', async () => {
  const { text, files } = await inFolder(() => import('../examples/inputs.js'));
  const clean = Number(/named rightly: ([\d.]+) %/.exec(text)?.[1]);
  expect(clean).toBeGreaterThan(95);
  const wished = /classes are named ([\d, ]+)/.exec(text)?.[1].split(', ') ?? [];
  expect(wished.filter((name, i) => name === String(i)).length).toBeGreaterThanOrEqual(9);
  const attacks = [...text.matchAll(/FGSM ([\d.]+) %, PGD ([\d.]+) %/g)].map(([, fast, small]) => [+fast, +small]);
  expect(attacks).toHaveLength(3);
  expect(attacks[2][1]).toBeLessThan(clean - 30);
  for (const [fast, small] of attacks) expect(small).toBeLessThanOrEqual(fast + 2);
  expect(Object.keys(files).sort()).toEqual(['adversarial.png', 'classes.png', 'filters.png', 'looks.png']);
}, 60_000);

test('autoencoders', async () => {
  const { text, files } = await inFolder(() => import('../examples/autoencoders.js'));
  const errors = [...text.matchAll(/squared error (\S+)/g)].map(([, value]) => Number(value));
  expect(errors).toHaveLength(3);
  expect(errors).toEqual([...errors].sort((a, b) => b - a)); // more numbers, better copies
  expect(errors[2]).toBeLessThan(0.6 * errors[0]);
  expect(Number(/ELBO at the mean (\S+)/.exec(text)?.[1])).toBeGreaterThan(-31);
  expect(Object.keys(files).sort()).toEqual(['latent.svg', 'plane.png', 'reconstructions.png']);
}, 120_000);

test.runIf(isComplete)(
  'segmentation',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/segmentation.js'));
    const scores = [...text.matchAll(/^(.*?) +mean IoU (\S+)/gm)].map(
      ([, name, value]) => [name, Number(value)] as const,
    );
    expect(scores.map(([name]) => name)).toEqual([
      'U-Net',
      'SegNet',
      'FCN, no skip',
      'FCN, one skip',
      'FCN, two skips',
    ]);
    const [unet, segnet, , , skips] = scores.map(([, value]) => value);
    expect(unet).toBeGreaterThan(0.85);
    expect(Math.min(segnet, skips)).toBeGreaterThan(0.7);
    expect(Object.keys(files)).toEqual(['segmentation.png']);
  },
  60_000,
);

test.runIf(isComplete)(
  'detection',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/detection.js'));
    expect(Number(/mAP@\.5 (\S+)/.exec(text)?.[1])).toBeGreaterThan(0.6);
    expect(Object.keys(files)).toEqual(['detections.png']);
  },
  60_000,
);

test('tracks', async () => {
  const { argv } = process;
  if (!isComplete) process.argv = [...argv.slice(0, 2), '0', '15']; // a quarter of the scenes is enough to learn from
  const { text, files } = await inFolder(() => import('../examples/tracks.js')).finally(() => (process.argv = argv));
  const [nearest, network] = [...text.matchAll(/IDF1 (\S+),/g)].map(([, value]) => Number(value));
  expect(network).toBeGreaterThan(0.9);
  expect(network).toBeGreaterThan(nearest + 0.05);
  expect(Object.keys(files)).toEqual(['tracks.png']);
}, 60_000);

test('kinds of graphs', async () => {
  const { text, files } = await inFolder(() => import('../examples/graph-kinds.js'));
  expect(Number(/test accuracy ([\d.]+) %/.exec(text)?.[1])).toBeGreaterThan(85);
  expect(Object.keys(files)).toEqual(['graph-kinds.svg']);
}, 60_000);

test.runIf(isComplete)(
  'style',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/style.js'));
    const [little, more] = [...text.matchAll(/changed by (\S+) in/g)].map(([, value]) => Number(value));
    expect(more).toBeGreaterThan(little);
    expect(Object.keys(files)).toEqual(['style.png']);
  },
  60_000,
);
// Some minutes each on a busy machine: what they show is tested in small beside their models.
test.runIf(process.env.NABLA_PARITY === 'all')(
  'adversaries',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/adversaries.js'));
    expect(Number(/made up: sure of (\d+) % of 1000; 10 classes/.exec(text)?.[1])).toBeGreaterThan(50);
    expect(Object.keys(files).sort()).toEqual(['epochs.png', 'walks.png']);
  },
  300_000,
);

test.runIf(process.env.NABLA_PARITY === 'all')(
  'diffusion',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/diffusion.js'));
    expect(Number(/50 steps: .* sure of (\d+) % of 500 samples, 10 classes/.exec(text)?.[1])).toBeGreaterThan(60);
    expect(Object.keys(files).sort()).toEqual(['noise.png', 'steps.png']);
  },
  300_000,
);

// Half a minute each on a busy machine, too: the networks learn in src/models/sequences.test.ts.

test.runIf(process.env.NABLA_PARITY === 'all')(
  'spam',
  async () => {
    const { text } = await inFolder(() => import('../examples/spam.js'));
    const scores = [...text.matchAll(/F1 on unseen messages (\S+)/g)].map(([, value]) => Number(value));
    expect(scores).toHaveLength(4);
    expect(scores[3]).toBeGreaterThan(0.95);
    expect(Number(/moves the logits by (\S+)/.exec(text)?.[1])).toBeLessThan(1e-5);
  },
  60_000,
);

test.runIf(process.env.NABLA_PARITY === 'all')(
  'translate',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/translate.js'));
    const right = [...text.matchAll(/beam\(s\): (\d+) % right/g)].map(([, percent]) => Number(percent));
    expect(right).toHaveLength(4);
    expect(Math.min(...right)).toBeGreaterThan(85);
    expect(Object.keys(files).sort()).toEqual(['attention-gru.svg', 'attention-transformer.svg']);
  },
  120_000,
);

test.runIf(process.env.NABLA_PARITY === 'all')(
  'captions',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/captions.js'));
    expect(Number(/(\d+) of 100 unseen pictures/.exec(text)?.[1])).toBeGreaterThan(80);
    expect(Object.keys(files)).toEqual(['captions.png']);
  },
  120_000,
);

test.runIf(process.env.NABLA_PARITY === 'all')(
  'masked words',
  async () => {
    const { text } = await inFolder(() => import('../examples/masked-words.js'));
    const [pretrained, fresh] = [/pre-trained: (\S+) %/, /from nothing: (\S+) %/].map((how) =>
      Number(how.exec(text)?.[1]),
    );
    expect(pretrained).toBeGreaterThan(fresh + 20);
    expect(Number(/same topic for (\d+) of 60/.exec(text)?.[1])).toBeGreaterThan(50);
  },
  60_000,
);

test.runIf(process.env.NABLA_PARITY === 'all')(
  'films',
  async () => {
    const { text, files } = await inFolder(() => import('../examples/films.js'));
    const errors = [...text.matchAll(/ahead: squared error (\S+); if nothing moved, (\S+)/g)].map(([, a, b]) => [
      +a,
      +b,
    ]);
    expect(errors).toHaveLength(3);
    for (const [error, still] of errors) expect(error).toBeLessThan(0.6 * still);
    expect(Object.keys(files)).toEqual(['films.png']);
  },
  120_000,
);
