// Tests run on the TypeScript sources; the published names (`nabla`, `nabla/nn`, …) lead to src as in tsconfig.json.
// Type tests (`*.test-d.ts`) are not run here: `npm run check` compiles them.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { compiledSources } from './test/support/compiled-sources.mjs';

const src = fileURLToPath(new URL('src', import.meta.url));

/**
 * Tests that compute and compare: files of these folders run one after the other in one process and load the sources once, which
 * takes a second a file otherwise. Each finds the default device and dtype, and nothing that waits (as-found.ts); what
 * else it sets it sets back.
 */
const SHARING = [
  'src/{audio,classic,functions,io,metrics,models,nn,onnx,optim,tensor,vision}/**/*.test.ts',
  'src/engine/{compile,emit,grad,ir,loop}/**/*.test.ts',
  'src/data/{contact-sheet,dataset,k-fold,read-image,samplers,split,table-encoder,text}.test.ts',
  'src/data/{formats,transforms}/**/*.test.ts',
  'src/{linalg,rl,text}/**/*.test.ts',
  'src/train/{checks,plot}/**/*.test.ts',
  'test/{course,doctor,operators,tensor}/**/*.test.ts',
  'test/{functions-*,onnx*,opinfo-*,special-*,composed,exact-results,float64,long-sums,lookups,masked,narrow-dtypes,products,sequences,shapes,stacks,windows,winograd,fuzz-contractions,linalg,function-transforms,streamed-attention,transposed,ctc-float64}.test.ts',
];
/**
 * What counts allocations or programs, waits for a warning that comes once, lists the devices, or sets what
 * holds for the process; and thousands of kernels, which are slower after other thousands.
 */
const ALONE = [
  'src/nn/losses/losses.test.ts',
  'src/io/weights/load-weights.test.ts',
  'src/io/node/*.test.ts',
  'src/onnx/*.test.ts',
  'src/{rl/agents,text/text}.test.ts',
  'src/optim/minimize/minimize.test.ts',
  'test/operators/devices.test.ts',
  'test/tensor/{capture,errors,vmap}.test.ts',
];

/** Pages in one browser for each process, which take their time to be started. What is to be found in a page is the page's alone. */
const IN_A_BROWSER = ['test/browser/*.test.ts'];

/** What loads the library a second time, or puts another package in the place of one that it imports: only Vitest can. */
const BY_VITEST = ['test/copies.test.ts', 'src/text/text.test.ts'];
/** A watch sees the sources themselves: what it runs again would be as it was compiled at the start. */
const isOneRun = process.argv.some((word) => word === 'run' || word === '--run');
const plugins = isOneRun ? [await compiledSources()] : [];

export default defineConfig({
  oxc: { target: 'es2022' }, // Node 20 does not parse `using`
  resolve: {
    alias: [
      { find: /^nabla$/, replacement: `${src}/index.ts` },
      { find: /^nabla\/([a-z/]+)$/, replacement: `${src}/$1/index.ts` },
    ],
  },
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/\.test-build\//] } },
    projects: [
      {
        extends: true,
        plugins,
        test: {
          name: 'sharing',
          include: SHARING,
          exclude: [...ALONE, ...BY_VITEST],
          isolate: false,
          setupFiles: ['test/support/as-found.ts'],
        },
      },
      {
        extends: true,
        plugins,
        test: {
          name: 'alone',
          include: ['{src,test}/**/*.test.{ts,mjs}'],
          exclude: [...SHARING, ...IN_A_BROWSER, ...BY_VITEST],
        },
      },
      { extends: true, plugins, test: { name: 'in a browser', include: IN_A_BROWSER, isolate: false } },
      { extends: true, plugins, test: { name: 'alone as well', include: ALONE, exclude: BY_VITEST } },
      { extends: true, test: { name: 'by Vitest', include: BY_VITEST } },
    ],
  },
});
