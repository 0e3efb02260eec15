// The layer check, run as `npm run check` runs it, on small made-up repositories.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../scripts/check-layers.mjs', import.meta.url));

/** The violations the check prints for a repository made of `files`. */
function check(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'nabla-layers-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
    const lines = stderr.trimEnd().split('\n');
    if (status === 0) expect(stderr).toBe('');
    else expect(lines.pop()).toMatch(/^\d+ violations? of the layers\.$/);
    return lines.filter(Boolean);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test('a repository that keeps the layers passes, and so does an empty one', () => {
  expect(check({})).toEqual([]);
  expect(
    check({
      'src/cli/main.ts': `import { readFileSync } from 'node:fs';\nimport * as nabla from '../index.js';`,
      'src/index.ts': `export * from './tensor/tensor.js';\nexport { info } from './engine/engine.js';`,
      'src/nn/index.ts': `import { Tensor } from '../tensor/tensor.js';\nimport { read } from '../io/index.js';`,
      'src/io/index.ts': `export const read = () => import('./node/file.js');`,
      'src/io/node/file.ts': `import 'fs';`,
      'src/tensor/tensor.ts': `import { run } from '../engine/engine.js';`,
      'src/engine/engine.ts': `import './device/cpu.js';`,
      'src/engine/device/cpu.ts': `import '../emit/c.js';\nimport '../compile/fuse.js';`,
      'src/engine/emit/c.ts': `import '../loop/loop.js';`,
      'src/engine/compile/fuse.ts': `import '../ir/node.js';`,
      'src/engine/loop/loop.ts': `import '../ir/node.js';`,
      'src/engine/ir/node.ts': `export {};`,
      'src/engine/ir/node.test.ts': `import '../device/cpu.js';\nimport 'node:fs';`,
    }),
  ).toEqual([]);
});

test('an upward import is named with file, line and reason, type-only ones too', () => {
  expect(
    check({
      'src/engine/ir/node.ts': `// first line\nimport type { Pass } from '../compile/pass.js';`,
      'src/engine/compile/pass.ts': `export type Pass = import('../emit/c.js').Emitter;`,
      'src/engine/emit/c.ts': `export type Emitter = 1;`,
      'src/nn/linear.ts': `export { x } from '../engine/ir/node.js';`,
      'src/tensor/tensor.ts': `const nn = await import('../nn/linear.js');`,
      'src/optim/sgd.ts': `export * from '../index.js';`,
      'src/index.ts': `export {};`,
    }),
  ).toEqual([
    'src/engine/compile/pass.ts:1 imports src/engine/emit/c.ts: engine/compile must not know engine/emit; it may import engine/compile, engine/ir, engine/loop, engine/compile/*',
    'src/engine/ir/node.ts:2 imports src/engine/compile/pass.ts: engine/ir must not know engine/compile; it may import only engine/ir',
    expect.stringMatching(
      /^src\/nn\/linear.ts:1 imports src\/engine\/ir\/node.ts: nn must not know engine\/ir; it may import nn, optim, data, [a-z, ]+, functions, tensor$/,
    ),
    expect.stringMatching(
      /^src\/optim\/sgd.ts:1 imports src\/index.ts: optim must not know index; it may import optim, nn, data, /,
    ),
    expect.stringMatching(/^src\/tensor\/tensor.ts:1 imports src\/nn\/linear.ts: tensor must not know nn; /),
  ]);
});

test('the rooms of the compiler know those below them', () => {
  expect(
    check({
      'src/engine/compile/compile.ts': `import './lower/lower-group.js';`,
      'src/engine/compile/lower/lower-group.ts': `import './loop/lower-loop.js';`,
      'src/engine/compile/lower/loop/lower-loop.ts': `import '../../plan/group.js';\nimport type { L } from '../lower-group.js';`,
      'src/engine/compile/plan/group.ts': `import '../indices/trace.js';\nimport '../lower/kernel/kernel-builder.js';`,
      'src/engine/compile/lower/kernel/kernel-builder.ts': '',
      'src/engine/compile/indices/trace.ts': '',
    }).map((line) => line.slice(0, line.indexOf(';'))),
  ).toEqual(
    expect.arrayContaining([
      'src/engine/compile/lower/loop/lower-loop.ts:2 imports src/engine/compile/lower/lower-group.ts: engine/compile/lower/loop must not know engine/compile/lower',
      'src/engine/compile/plan/group.ts:2 imports src/engine/compile/lower/kernel/kernel-builder.ts: engine/compile/plan must not know engine/compile/lower/kernel',
    ]),
  );
});

test('circles of files (of types too) and of library folders are found', () => {
  const file = (body: string) => `${body}\nexport type T = 1;`;
  expect(
    check({
      'src/tensor/a.ts': file(`import './b.js';`),
      'src/tensor/b.ts': file(`import './c.js';`),
      'src/tensor/c.ts': file(`export { a } from './a.js';`),
      'src/tensor/d.ts': file(`import type { T } from './e.js';`),
      'src/tensor/e.ts': file(`import './d.js';`),
      'src/nn/one.ts': file(`import '../data/one.js';`),
      'src/data/one.ts': file(''),
      'src/data/two.ts': file(`import '../nn/two.js';`),
      'src/nn/two.ts': file(''),
    }),
  ).toEqual([
    'src/tensor/a.ts:1 imports src/tensor/b.ts: circular: src/tensor/a.ts → src/tensor/b.ts → src/tensor/c.ts → src/tensor/a.ts',
    'src/tensor/d.ts:1 imports src/tensor/e.ts: circular: src/tensor/d.ts → src/tensor/e.ts → src/tensor/d.ts',
    'src/data/two.ts:1 imports src/nn/two.ts: folders in a circle: data → nn → data (with src/nn/one.ts:1)',
  ]);
});

test('code that browsers load reaches neither Node nor undeclared packages', () => {
  const violations = check({
    'package.json': JSON.stringify({ name: 'nabla', dependencies: { fflate: '1' }, devDependencies: { vitest: '1' } }),
    'src/io/gzip.ts': `import 'fflate';\nimport 'path';\nimport 'vitest';\nimport 'nabla/nn';\nimport './node/file.js';`,
    'src/io/node/file.ts': `import 'fs/promises';`,
  });
  expect(violations.map((line) => line.slice(0, line.indexOf(':', 16)))).toEqual([
    'src/io/gzip.ts:2 imports path',
    'src/io/gzip.ts:3 imports vitest',
    'src/io/gzip.ts:4 imports nabla/nn',
    'src/io/gzip.ts:5 imports src/io/node/file.ts',
  ]);
});

test('a missing file, a folder without a layer and an import from outside src are reported', () => {
  expect(
    check({
      'src/tensor/a.ts': `import './gone.js';\nimport '../../test/oracle.js';`,
      'src/utils/misc.ts': `export {};`,
      'test/oracle.ts': `export {};`,
    }),
  ).toEqual([
    'src/tensor/a.ts:1 imports ./gone.js: there is no such file; relative imports end in .js',
    'src/tensor/a.ts:2 imports ../../test/oracle.js: it lies outside src',
    'src/utils/misc.ts:1 is in no layer: move it, or give its folder a row in scripts/check-layers.mjs',
  ]);
});

test('a room of the engine is named that has too many files, and a file that is too long', () => {
  const empty = 'export {};\n';
  const many = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`src/engine/loop/part${i}.ts`, empty]));
  expect(check({ ...many, 'src/engine/ir/node.ts': '\n'.repeat(451), 'src/nn/long.ts': '\n'.repeat(451) })).toEqual([
    'src/engine/loop has 16 files beside each other, of at most 15: make rooms of it',
    'src/engine/ir/node.ts:1 has 451 lines, of at most 450: give a part of its subject a file of its own',
  ]);
  expect(check({ ...many, 'src/engine/loop/part0.ts': '', 'src/engine/loop/part0.test.ts': empty })).toHaveLength(1);
});
