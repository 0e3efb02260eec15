// The files of a new project: a run in TypeScript that learns from a small table, its data, and what npm and TypeScript need.
// Names in, texts out.

import { HostRandom } from '../../data/index.js';

export interface ProjectFacts {
  /** As npm allows it. */
  readonly name: string;
  /** What package.json says of nabla: a version, or where it lies. */
  readonly nabla: string;
  /** Whether this Node needs a package to run TypeScript. */
  readonly needsTransform: boolean;
}

/** Contents by path. */
export function projectFiles(facts: ProjectFacts): Record<string, string> {
  const table = fruit();
  return {
    'package.json': `${JSON.stringify(manifest(facts), null, 2)}\n`,
    'tsconfig.json': `${JSON.stringify(TSCONFIG, null, 2)}\n`,
    'run.ts': RUN,
    'README.md': readme(facts.name),
    '.gitignore': 'node_modules/\nruns/\n',
    'data/fruit.csv': table.known,
    'data/new.csv': table.fresh,
  };
}

function manifest({ name, nabla, needsTransform }: ProjectFacts): object {
  return {
    name,
    private: true,
    type: 'module',
    scripts: {
      start: 'nabla train ./run.ts',
      predict: 'nabla predict data/new.csv --definition ./run.ts',
      check: 'tsc',
    },
    dependencies: { nabla },
    devDependencies: { ...(needsTransform && { 'oxc-transform': '>=0.72.0' }), typescript: '>=5.4' },
  };
}

const TSCONFIG = {
  compilerOptions: {
    target: 'ES2022',
    module: 'NodeNext',
    lib: ['ES2023', 'DOM'],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  },
  include: ['*.ts'],
};

const RUN = `// What is trained on what. \`npm start\` trains it, \`npm run predict\` uses it, \`npm run check\` checks its types.

import { DataLoader, TableEncoder, readCsv } from 'nabla/data';
import { Accuracy } from 'nabla/metrics';
import { mlp } from 'nabla/models';
import { AdamW } from 'nabla/optim';
import { defineRun } from 'nabla/train';

const createModel = (encoder: TableEncoder, hidden: number) => mlp([encoder.width, hidden, encoder.classes.length]);

export default defineRun({
  name: 'fruit',
  title: 'Telling kinds of fruit apart',
  // everything that can be set: nabla train ./run.ts --lr 0.003 --set hidden=32
  settings: { epochs: 40, lr: 0.01, batchSize: 16, hidden: 16 },

  async create({ epochs, lr, batchSize, hidden, seed }) {
    const table = await readCsv(new URL('data/fruit.csv', import.meta.url));
    const parts = table.split({ train: 0.6, validation: 0.2, test: 0.2 }, { stratify: 'kind' });
    // Fitted to the training part alone: numbers are standardised by its mean and deviation, texts become its categories.
    const encoder = TableEncoder.fit(parts.train, {
      target: 'kind',
      columns: { ripeness: ['green', 'ripe', 'overripe'] }, // 0, 1, 2; colour is one-hot, as texts are unless it is said
    });
    const model = createModel(encoder, hidden);
    return {
      model,
      optimizer: new AdamW(model.parameters(), { lr }),
      train: new DataLoader(encoder.classification(parts.train), { batchSize, shuffle: true, seed }),
      validation: new DataLoader(encoder.classification(parts.validation), { batchSize: 64 }),
      test: new DataLoader(encoder.classification(parts.test), { batchSize: 64 }),
      metrics: { accuracy: new Accuracy() },
      epochs,
      classes: encoder.classes.length,
      facts: { encoder: encoder.toJSON() }, // kept in the run's folder, for predict
    };
  },

  predictor({ hidden }, facts) {
    const encoder = TableEncoder.from(facts['encoder']);
    return { kind: 'table', model: createModel(encoder, hidden), encoder };
  },
});
`;

const readme = (name: string): string => `# ${name}

\`\`\`sh
npm install
npm start              # trains; the run goes to runs/
npm run predict        # what the network says of data/new.csv
npm run check          # types
\`\`\`

- \`run.ts\`: what is trained on what. Put your own table in the place of \`data/fruit.csv\`, and its columns into \`run.ts\`.
- \`npx nabla train ./run.ts --help\`: settings, resuming, the doctor.
- \`npx nabla runs\`: all runs, compared. \`npx nabla curves\`: how the last one learned.
`;

interface Kind {
  readonly name: string;
  /** Grams and millimetres: mean and deviation. */
  readonly weight: readonly [number, number];
  readonly diameter: readonly [number, number];
  readonly colours: readonly string[];
}

const KINDS: readonly Kind[] = [
  { name: 'apple', weight: [170, 30], diameter: [75, 7], colours: ['red', 'green', 'yellow', 'red'] },
  { name: 'lemon', weight: [110, 20], diameter: [58, 5], colours: ['yellow', 'yellow', 'green', 'yellow'] },
  { name: 'plum', weight: [65, 15], diameter: [45, 6], colours: ['purple', 'red', 'yellow', 'purple'] },
];
const RIPENESS = ['green', 'ripe', 'ripe', 'overripe'];

/** Made-up measurements, the same at every call. */
function fruit(): { known: string; fresh: string } {
  const random = new HostRandom(0xf2);
  const row = ({ weight, diameter, colours }: Kind): string =>
    [
      Math.max(20, weight[0] + weight[1] * random.normal()).toFixed(0),
      Math.max(20, diameter[0] + diameter[1] * random.normal()).toFixed(1),
      colours[random.below(colours.length)],
      RIPENESS[random.below(RIPENESS.length)],
    ].join();
  const head = 'weight,diameter,colour,ripeness';
  const known = Array.from({ length: 180 }, (_, i) => `${row(KINDS[i % 3])},${KINDS[i % 3].name}`);
  const fresh = KINDS.map(row);
  return {
    known: `${head},kind\n${known.join('\n')}\n`,
    fresh: `${head}\n${fresh.join('\n')}\n150,70.0,orange,ripe\n`, // a colour that training does not have
  };
}
