// The graph models: parameters as in the papers, and that they learn what neighbours tell; sets of graphs, made and read.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { communities, citeseer, cora } from '../data/index.js';
import { type Tensor, manualSeed, noGrad } from '../index.js';
import { crossEntropy } from '../nn/index.js';
import { Adam } from '../optim/index.js';
import { GAT, GCN, mlp } from './index.js';

const graph = communities({ nodes: 160, noise: 0.8 });
const sizes = { inFeatures: 16, classes: 4 };

async function learned(forward: () => Tensor<[number, number]>, model: GCN | GAT | ReturnType<typeof mlp>) {
  const optimizer = new Adam(model.parameters(), { lr: 0.02, weightDecay: 5e-4 });
  for (let epoch = 0; epoch < 40; epoch++) {
    optimizer.zeroGrad();
    crossEntropy(forward().indexSelect(0, graph.train), graph.y.indexSelect(0, graph.train)).backward();
    await optimizer.step();
  }
  model.eval();
  const guess = noGrad(() => forward().argmax(1)).indexSelect(0, graph.test);
  return guess.eq(graph.y.indexSelect(0, graph.test)).to('float32').mean().item();
}

test('parameter counts are those of the papers for Cora', () => {
  expect(new GCN({ inFeatures: 1433, classes: 7 }).parameterCount).toBe(1433 * 16 + 16 + 16 * 7 + 7);
  expect(new GAT({ inFeatures: 1433, classes: 7 }).parameterCount).toBe(92_373);
  const deep = new GAT({ ...sizes, layers: 3, outHeads: 2 });
  expect(deep.forward(graph.x, graph.edges).shape).toEqual([160, 4]);
  expect(deep.features(graph.x, graph.edges).shape).toEqual([160, 64]);
  expect(Object.keys(deep.stateDict()).slice(0, 4)).toEqual([
    'convs.0.att_src',
    'convs.0.att_dst',
    'convs.0.bias',
    'convs.0.lin.weight',
  ]);
});

test('networks that see the edges tell communities apart; one that does not cannot', async () => {
  manualSeed(0);
  const [gcn, gat, without] = [new GCN(sizes), new GAT(sizes), mlp([16, 16, 4])];
  expect(await learned(() => gcn.forward(graph.x, graph.edges), gcn)).toBeGreaterThan(0.85);
  expect(await learned(() => gat.forward(graph.x, graph.edges), gat)).toBeGreaterThan(0.85);
  expect(await learned(() => without.forward(graph.x), without)).toBeLessThan(0.75);
}, 60_000);

test('communities: as asked for', async () => {
  const made = communities({ nodes: 400, classes: 4, degree: 10, inside: 0.7, labelled: 3, seed: 5 });
  const y = await made.y.data();
  const [from, to] = await made.edges.array();
  expect(from.length / 400).toBeCloseTo(10, -0.5);
  expect(from.filter((u, i) => y[u] === y[to[i]]).length / from.length).toBeCloseTo(0.7, 1);
  expect([made.train.size, made.validation.size + made.test.size]).toEqual([12, 388]);
  expect(Math.abs(made.validation.size - made.test.size)).toBeLessThanOrEqual(4); // one a class
  expect(
    new Set([...(await made.train.data()), ...(await made.validation.data()), ...(await made.test.data())]).size,
  ).toBe(400);
});

test('wrong sizes and options say so', () => {
  expect(() => communities({ nodes: 10 })).toThrow('communities: nodes is 10. Use a whole number of at least 28.');
  expect(() => communities({ inside: 2 })).toThrow('communities: inside is 2. Use a number from 0 to 1.');
  expect(() => communities({ degree: 1000 })).toThrow('communities: a degree of 1000 with 300 nodes');
  expect(() => new GCN({ ...sizes, layers: 0 })).toThrow('GCN: layers is 0');
  expect(() => new GAT({ ...sizes, dropout: 2 })).toThrow('GAT: dropout');
  expect(() => new GCN(sizes).forward(graph.y.to('float32'), graph.edges)).toThrow('GCNConv');
});

test('citation graphs are read from their files, and damage is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-graphs-'));
  try {
    await expect(citeseer({ folder })).rejects.toThrow(/citeseer: the files are not there.*NABLA_DATA or folder\.$/);
    writeFileSync(
      join(folder, 'cora.nodes.tsv'),
      '# remark\n0\t3\ttrain\t0 1432\n1\t6\tval\t\n2\t-1\t-\t5\n3\t0\ttest\t7\n',
    );
    writeFileSync(join(folder, 'cora.edges.tsv'), '0\t1\n1\t3\n');
    const { x, y, edges, train, validation, test: rest, classes } = await cora({ folder });
    expect([x.shape, await y.array(), classes]).toEqual([[4, 1433], [3, 6, -1, 0], 7]);
    expect(await x.sum(1).array()).toEqual([2, 0, 1, 1]);
    expect(await edges.array()).toEqual([
      [0, 1, 1, 3],
      [1, 3, 0, 1],
    ]);
    expect([await train.array(), await validation.array(), await rest.array()]).toEqual([[0], [1], [3]]);
    writeFileSync(join(folder, 'cora.edges.tsv'), '0\t1\n1\t4\n');
    await expect(cora({ folder })).rejects.toThrow("cora.edges.tsv, row 2: '4' is not a whole number from 0 to 3.");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.skipIf(!process.env['NABLA_DATA'])('cora as it is published', async () => {
  const { x, edges, train, validation, test: rest } = await cora();
  expect([x.shape, edges.shape, train.size, validation.size, rest.size]).toEqual([
    [2708, 1433],
    [2, 10556],
    140,
    500,
    1000,
  ]);
  expect(await x.sum().item()).toBe(49_216);
});
