// Tests run on the TypeScript sources; the published names (`nabla`, `nabla/nn`, …) lead to src as in tsconfig.json.
// Type tests (`*.test-d.ts`) are not run here: `npm run check` compiles them.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const src = fileURLToPath(new URL('src', import.meta.url));

export default defineConfig({
  oxc: { target: 'es2022' }, // Node 20 does not parse `using`
  resolve: {
    alias: [
      { find: /^nabla$/, replacement: `${src}/index.ts` },
      { find: /^nabla\/([a-z/]+)$/, replacement: `${src}/$1/index.ts` },
    ],
  },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'test/**/*.test.mjs'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
