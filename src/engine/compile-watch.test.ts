import { expect, test } from 'vitest';
import { CompileWatch } from './compile-watch.js';

/** Notices of a loop: each step compiles one program for `compiling` ms and runs for `running` ms. */
function notices(compiling: number, running: number, operators: (i: number) => string[], steps = 100): string[] {
  const watch = new CompileWatch();
  let now = 1000;
  return Array.from({ length: steps }, (_, i) => {
    now += compiling + running;
    return watch.note(operators(i), compiling, now);
  }).filter((text) => text !== undefined);
}

test('many programs of the same operators that take most of the time: said once, with the cure', () => {
  const said = notices(200, 10, () => ['matmul', 'add', 'leaf', 'add']);
  expect(said).toHaveLength(1);
  expect(said[0]).toBe(
    'compile: 32 programs of the same operators with other shapes took 6.4 of the last 6.7 s. ' +
      'Use few shapes: pad batches and sequences to a few sizes (docs/devices.md, "Shapes that change").',
  );
});

test('not where running takes longer, compiling is quick, programs are few or of other operators', () => {
  expect(notices(200, 300, () => ['matmul'])).toEqual([]);
  expect(notices(20, 1, () => ['matmul'])).toEqual([]);
  expect(notices(2000, 1, () => ['matmul'], 31)).toEqual([]);
  expect(notices(200, 1, (i) => ['matmul', `op${i}`])).toEqual([]);
});
