// The verifier and the printer, on a small kernel and on what can be wrong with one.
import { expect, test } from 'vitest';
import { kernelOf } from '../../../test/support/kernels.js';
import { InternalError } from '../ir/errors.js';
import * as L from './loop.js';
import { printKernel, printProgram } from './print.js';
import { verifyKernel, verifyProgram } from './verify.js';

const x = L.buffer('x', 'f32', 'param', 64);
const y = L.buffer('y', 'f32', 'param', 64);
const at = L.variable('at', 'i32');
const sum = L.variable('sum', 'f32', 4);
const tid = L.variable('tid', 'i32');
const threads = L.variable('threads', 'i32');

const kernel = (body: readonly L.Stmt[]): L.KernelFunction => kernelOf([x, y], () => body, { tid, threads });

const good = kernel([
  L.define(sum, L.float(0, 4), true),
  L.loop(at, L.int(0), L.int(64), 4, [L.set(sum, L.fma(L.load(x, at, 4), L.float(2), sum))]),
  L.when(L.compare('eq', tid, L.int(0)), [L.store(y, L.int(0), sum)], [L.store(y, L.int(4), L.unary('neg', sum))]),
]);

test('a good kernel passes, and reads like one', () => {
  verifyKernel(good);
  const text = printKernel(good).replaceAll(/(at|sum|tid|threads)\d+/g, '$1');
  expect(text.split('\n')).toEqual([
    'kernel k(f32[64] x, f32[64] y) {',
    '  mut f32x4 sum = f32x4(0)',
    '  for at = 0 .. 64 step 4 {',
    '    sum = fma(x[at : 4], f32x4(2), sum)',
    '  }',
    '  if (tid == 0) {',
    '    y[0] = sum',
    '  } else {',
    '    y[4] = neg(sum)',
    '  }',
    '}',
  ]);
});

test.each<[fault: string, body: L.Stmt[]]>([
  ['a variable that is not defined here', [L.store(y, at, L.float(1))]],
  [
    'a variable that is not defined here',
    [L.loop(at, L.int(0), L.int(4), 1, []), L.store(y, at, L.float(1))], // after its loop
  ],
  ['is set but not a mutable variable', [L.define(sum, L.float(0, 4)), L.set(sum, L.float(1, 4))]],
  ['f32 instead of f32x4', [L.define(sum, L.float(0))]],
  ['which is not an operand', [L.store(L.buffer('z', 'f32', 'param', 1), L.int(0), L.float(1))]],
  [
    'a load from a buffer that is not an operand',
    [L.store(y, L.int(0), L.load(L.buffer('z', 'f32', 'param', 1), L.int(0)))],
  ],
  ['i32 stored in f32', [L.store(y, L.int(0), L.int(1))]],
  [
    'types that differ',
    [L.store(y, L.int(0), { kind: 'binary', op: 'add', type: 'f32', lanes: 1, a: L.float(1), b: L.int(1) })],
  ],
  ['and of f32', [L.store(y, L.int(0), L.binary('and', L.float(1), L.float(2)))]],
  ['lane 4', [L.store(y, L.int(0), L.extract(L.float(0, 4), 4))]],
  ['i32 instead of bool', [L.when(L.int(1), [])]],
  ['loop step 0', [L.loop(at, L.int(0), L.int(4), 0, [])]],
])('%s', (fault, body) => {
  expect(() => verifyKernel(kernel(body))).toThrow(InternalError);
  expect(() => verifyKernel(kernel(body))).toThrow(fault);
});

test('a program gives each operand of its kernels', () => {
  const program: L.Program = {
    kernels: [good],
    stages: [{ calls: [{ kernel: 0, slots: [{ kind: 'argument', index: 1 }] }], parts: 1 }],
    argumentCount: 2,
    arenaBytes: 0,
    scratchBytes: 0,
    serial: true,
  };
  expect(() => verifyProgram(program)).toThrow('kernel k: called with 1 operands instead of 2');
  expect(printProgram(program)).toMatch(/stage 0: k$/);
});
