// No list is spread into the arguments of a function that takes any number of them: arguments lie on the stack, which
// overflows beyond some 100,000, and lists of steps, files, classes and columns grow that long. See src/tensor/extremes.ts.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Argument, type CallExpression, Visitor, parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';
import { largest, norm, smallest } from '../src/tensor/extremes.js';

const root = fileURLToPath(new URL('../src', import.meta.url));
const FOLDERS = [
  'audio',
  'classic',
  'cli',
  'data',
  'io',
  'linalg',
  'metrics',
  'models',
  'nn',
  'onnx',
  'optim',
  'rl',
  'text',
  'train',
  'vision',
];
const VARIADIC = ['max', 'min', 'hypot', 'push', 'unshift', 'splice', 'concat', 'fromCharCode', 'fromCodePoint'];

/** `file:line: text` of each such call. */
function spreads(file: string, text: string): string[] {
  const found: string[] = [];
  const isOpen = (argument: Argument) =>
    argument.type === 'SpreadElement' && argument.argument.type !== 'ArrayExpression';
  const see = ({ callee, arguments: given, start, end }: CallExpression): void => {
    if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
    if (!VARIADIC.includes(callee.property.name) || !given.some(isOpen)) return;
    found.push(`${file}:${text.slice(0, start).split('\n').length}: ${text.slice(start, end)}`);
  };
  new Visitor({ CallExpression: see }).visit(parseSync(file, text).program);
  return found;
}

test('no list is spread into Math.max, push and the like', () => {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const sources = files.filter((name) => name.endsWith('.ts') && !name.includes('.test'));
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.flatMap((name) => spreads(name, readFileSync(join(root, name), 'utf8')))).toEqual([]);
  expect(spreads('a.ts', 'Math.max(1, ...list);\nfound.push(...more); f(...list); Math.min(...[a, b]);')).toEqual([
    'a.ts:1: Math.max(1, ...list)',
    'a.ts:2: found.push(...more)',
  ]);
});

test('extremes of any number of numbers are those of Math', () => {
  const lists = [
    [],
    [3],
    [-0, 0],
    [2, -7, 5],
    [1, NaN, 3],
    [Infinity, -Infinity],
    [1e200, 1e200],
    [3e-200, 4e-200],
    [0, 0],
  ];
  for (const list of lists) {
    expect([largest(list), smallest(list)]).toEqual([Math.max(...list), Math.min(...list)]);
    const exact = Math.hypot(...list);
    if (Number.isFinite(exact) && exact > 0) expect(norm(list) / exact).toBeCloseTo(1, 12);
    else expect(norm(list)).toBe(exact);
  }
  const many = Array.from({ length: 1_000_000 }, (_, i) => i);
  expect([largest(many), smallest(many)]).toEqual([999_999, 0]);
  expect(norm(many)).toBeCloseTo(Math.sqrt((999_999 * 1_000_000 * 1_999_999) / 6), -2);
});
