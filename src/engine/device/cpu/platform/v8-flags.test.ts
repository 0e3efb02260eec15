// V8's flags are set where a version was tried, and nowhere else: a flag too many ends the process of a newer Node.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { v8Flags } from './v8-flags.js';

const set = (versions: Record<string, string>, options = '') => v8Flags(versions, options).map((flag) => flag.set);
const OPTIMISED = ['--no-liftoff', '--no-wasm-lazy-compilation'];
const RELAXED = '--experimental-wasm-relaxed-simd';

test.each([
  ['Node 20', { node: '20.20.2', v8: '11.3.244.8-node.38' }, [RELAXED, ...OPTIMISED]],
  ['Node 22', { node: '22.23.5', v8: '12.4.254.21-node.57' }, OPTIMISED],
  ['Node 24', { node: '24.22.3', v8: '13.6.233.17-node.63' }, OPTIMISED],
  ['Node 25', { node: '25.9.0', v8: '14.1.146.11-node.25' }, []],
  ['Node 26', { node: '26.12.1', v8: '14.6.202.34-node.40' }, []],
  ['a Node to come', { node: '30.0.0', v8: '16.3.1.1-node.1' }, []],
  ['a V8 whose number begins alike', { node: '30.0.0', v8: '11.30.1.1-node.1' }, []],
  ['Bun', { node: '24.3.0', v8: '13.6.233.10-node.18', bun: '1.3.0' }, []],
  ['Deno', { node: '24.3.0', v8: '13.6.233.10-rusty', deno: '2.4.0' }, []],
  ['Electron', { node: '22.9.0', v8: '12.4.254.20-electron.0', electron: '30.0.0' }, []],
  ['a host that says nothing', {}, []],
] as const)('%s', (_, versions, flags) => expect(set(versions)).toEqual(flags));

test('what the user chose is left alone, in either spelling', () => {
  const node20 = { node: '20.20.2', v8: '11.3.244.8-node.38' };
  expect(set(node20, '--liftoff')).toEqual([RELAXED, '--no-wasm-lazy-compilation']);
  expect(set(node20, '--no_wasm_lazy_compilation')).toEqual([RELAXED, '--no-liftoff']);
  expect(set(node20, '--no-experimental-wasm-relaxed-simd')).toEqual(OPTIMISED);
});

test('each flag is taken back by its opposite', () => {
  for (const { set, reset } of v8Flags({ v8: '11.3.1' }, '')) {
    expect([set.replace('--', '--no-'), set.replace('--no-', '--')]).toContain(reset);
  }
});

test('this Node knows the flags it is given', () => {
  const flags = v8Flags(process.versions, '').flatMap(({ set, reset }) => [set, reset]);
  // An unknown flag is an error here; v8.setFlagsFromString would say nothing.
  expect(execFileSync(process.execPath, [...flags, '-p', '1'], { encoding: 'utf8' })).toBe('1\n');
});
