// Rows that are looked up in a table and multiplied (compile/lookups.ts), and their gradients: against the reference device,
// which computes them as they are written; and how many multiplications are left.

import { describe, expect, test } from 'vitest';
import { multiplyTables } from '../src/engine/compile/graph/lookups.js';
import { ReferenceDevice } from '../src/engine/device/reference/device.js';
import { gradient } from '../src/engine/grad/backward.js';
import { IndexError } from '../src/engine/ir/errors.js';
import * as build from '../src/engine/ir/build.js';
import { type Node, topologicalOrder } from '../src/engine/ir/node.js';
import { rows } from '../src/tensor/indexing.js';
import { f, i, makeData, makeLeaves } from './operators/case.js';
import { evaluateOn, worstError } from './operators/run.js';
import { tierDevices } from './support/tiers.js';

const reference = new ReferenceDevice();
const [TABLE, WIDTH, COLUMNS] = [30, 24, 40];
const READS = [5, 40] as const;

/** A table, a matrix, positions, a matrix as layers store theirs, weights of the results, a table with as many rows as reads. */
const inputs = [
  f([TABLE, WIDTH]),
  f([WIDTH, COLUMNS]),
  i([...READS], { below: TABLE }),
  f([COLUMNS, WIDTH]),
  f([...READS, COLUMNS]),
  f([READS[0] * READS[1], WIDTH]),
];

const turned = (n: Node): Node => build.permute(n, [1, 0]);
const scaled = (n: Node): Node => build.mul(n, build.constant(0.05) as Node);
const flat = (n: Node): Node => build.reshape(n, [READS[0] * READS[1], n.shape[n.shape.length - 1]]);

/** Results, and their gradients with respect to some of the inputs. */
function withGradients(outputs: readonly Node[], seeds: readonly Node[], wrt: readonly Node[]): Node[] {
  return [...outputs, ...gradient(outputs, seeds, wrt).map((g) => scaled(g as Node))];
}

interface Program {
  make(leaves: readonly Node[]): Node[];
  /** Multiplications of products as written, and after; of one row, of all reads or of the rows of the table. */
  readonly before: number;
  readonly after: number;
}

const OF_READS = READS[0] * READS[1] * WIDTH * COLUMNS;
const OF_TABLE = TABLE * WIDTH * COLUMNS;

const PROGRAMS: Record<string, Program> = {
  'a product': {
    make: ([table, w, at]) => [scaled(build.matmul(rows(table, at), w))],
    before: OF_READS,
    after: OF_TABLE,
  },
  'a layer: weights turned, bias, curve, gradients': {
    make: ([table, , at, w, seed]) => {
      const y = build.unary(
        'sigmoid',
        scaled(build.add(build.matmul(rows(table, at), turned(w)), build.constant(1) as Node)),
      );
      return withGradients([y], [seed], [table, w]);
    },
    before: 3 * OF_READS,
    after: 3 * OF_TABLE,
  },
  'the gradient of the matrix as it is stored': {
    make: ([table, w, at, , seed]) => {
      const y = build.matmul(flat(rows(table, at)), w);
      return withGradients([build.unary('tanh', scaled(y))], [flat(seed)], [table, w]);
    },
    before: 3 * OF_READS,
    after: 3 * OF_TABLE,
  },
  'rows that others read too': {
    make: ([table, w, at]) => {
      const x = rows(table, at);
      return [scaled(build.matmul(x, w)), build.sum(build.unary('sin', x), [0]), build.unary('exp', scaled(x))];
    },
    before: OF_READS,
    after: OF_TABLE,
  },
  'a product that is read by one step after the other': {
    make: ([table, w, at]) => {
      const y = scaled(build.matmul(rows(table, at), w));
      let state = build.reshape(build.sliceAxis(y, 1, 0, 1), [READS[0], COLUMNS]);
      for (let t = 1; t < READS[1]; t++)
        state = build.unary(
          'tanh',
          build.add(state, build.reshape(build.sliceAxis(y, 1, t, t + 1), [READS[0], COLUMNS])),
        );
      return [state];
    },
    before: OF_READS,
    after: OF_TABLE,
  },
  'a gradient of rows that something else uses too': {
    make: ([table, , at, w, seed]) => {
      const source = flat(build.matmul(seed, w));
      const index = build.expand(build.reshape(at, [source.shape[0], 1]), source.shape);
      const zeros = build.expand(build.constant(0) as Node, table.shape);
      return [scaled(build.scatterAdd(zeros, 0, index, source)), scaled(build.sum(source, [1]))];
    },
    before: OF_READS,
    after: OF_READS,
  },
  'messages: looked up, multiplied, added up elsewhere': {
    make: ([table, w, at]) => {
      const messages = flat(build.matmul(rows(table, at), w));
      const target = build.binary(
        'mod',
        build.add(at, build.constant(7, 'int32') as Node),
        build.constant(TABLE, 'int32') as Node,
      );
      const index = build.expand(build.reshape(target, [messages.shape[0], 1]), messages.shape);
      const zeros = build.expand(build.constant(0) as Node, [TABLE, COLUMNS]);
      return [scaled(build.scatterAdd(zeros, 0, index, messages))];
    },
    before: OF_READS,
    after: OF_TABLE,
  },
  'added to what is there already': {
    make: ([table, , at, w, seed]) => {
      const source = flat(build.matmul(seed, w));
      const index = build.expand(build.reshape(at, [source.shape[0], 1]), source.shape);
      return [scaled(build.scatterAdd(table, 0, index, source))];
    },
    before: OF_READS,
    after: OF_READS,
  },
  'part of each row': {
    make: ([table, w, at]) => {
      const index = build.expand(build.reshape(at, [READS[0] * READS[1], 1]), [READS[0] * READS[1], WIDTH - 4]);
      const some = build.sliceAxis(w, 0, 0, WIDTH - 4);
      return [scaled(build.matmul(build.gather(table, 0, index), some))];
    },
    before: (OF_READS / WIDTH) * (WIDTH - 4),
    after: (OF_READS / WIDTH) * (WIDTH - 4),
  },
  'other columns of each row': {
    make: ([table, w, at]) => {
      const index = build.expand(build.reshape(at, [READS[0] * READS[1], 1]), [READS[0] * READS[1], WIDTH]);
      const moved = build.binary('mod', build.add(index, build.iota(WIDTH)), build.constant(TABLE, 'int32') as Node);
      return [scaled(build.matmul(build.gather(table, 0, moved), w))];
    },
    before: OF_READS,
    after: OF_READS,
  },
  'a table with as many rows as are read': {
    make: ([, w, at, , , large]) => [scaled(build.matmul(rows(large, at), w))],
    before: OF_READS,
    after: OF_READS,
  },
};

const macs = (nodes: readonly Node[]): number =>
  nodes.reduce((n, { op, size, src }) => (op === 'matmul' ? n + size * src[0].shape[src[0].shape.length - 1] : n), 0);

test.each(Object.entries(PROGRAMS))('%s: multiplications', (_, { make, before, after }) => {
  const outputs = make(makeLeaves(inputs, 'cpu'));
  const written = topologicalOrder(outputs);
  expect(macs(written)).toBe(before);
  const { now } = multiplyTables(written);
  expect(macs(topologicalOrder(outputs.map((n) => now.get(n) as Node)))).toBe(after);
});

describe.each(Object.entries(tierDevices(2)))('%s, 2 threads', (_, device) => {
  test.each(Object.entries(PROGRAMS))('%s', async (name, { make }) => {
    const data = makeData({ name, inputs });
    const leaves = makeLeaves(inputs, 'reference');
    const expected = await evaluateOn(reference, make(leaves), leaves, data);
    const own = makeLeaves(inputs, 'cpu');
    const actual = await evaluateOn(device, make(own), own, data);
    expected.forEach((values, k) => expect(worstError(actual[k], values)).toBeLessThan(1e-5));
  });

  test('an index out of range is an error as before', async () => {
    const data = makeData({ name: 'range', inputs });
    data[2][7] = TABLE;
    const leaves = makeLeaves(inputs, 'cpu');
    const outputs = PROGRAMS['a layer: weights turned, bias, curve, gradients'].make(leaves);
    for (const wanted of [[outputs[0]], outputs]) {
      const error = await evaluateOn(device, wanted, leaves, data).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(IndexError);
      expect(String(error)).toMatch(/embedding: index 30 is out of range for dimension 0 with size 30\./);
    }
  });
});
