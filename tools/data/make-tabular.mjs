// Makes src/data/assets/{iris,wine,breast-cancer,diabetes}.ts from CSV files with a header whose last column is the target:
//   node tools/data/make-tabular.mjs iris.csv wine.csv breast_cancer.csv diabetes.csv
// The files are scikit-learn's own sets (sklearn.datasets.load_*; load_diabetes with scaled=False), written with 10 digits.
// Output: column after column, each number as (value · 10^decimals − least) in as few bits as the column needs, least
// significant bit first, in base64. The script checks that the numbers come back as they were.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const SETS = {
  iris: {
    what: '150 iris flowers of three kinds',
    source: `Iris, R. A. Fisher, UCI Machine Learning Repository (1936), https://doi.org/10.24432/C56C76, licence CC BY 4.0`,
  },
  wine: {
    what: '178 Italian wines of three cultivars',
    source: `Wine, S. Aeberhard and M. Forina, UCI Machine Learning Repository (1992), https://doi.org/10.24432/C5PC7J, licence CC BY 4.0`,
  },
  breast_cancer: {
    what: '569 breast tumours',
    source: `Breast Cancer Wisconsin (Diagnostic), W. Wolberg, O. Mangasarian, N. Street and W. Street, UCI Machine Learning
// Repository (1993), https://doi.org/10.24432/C5DW2B, licence CC BY 4.0`,
  },
  diabetes: {
    what: '442 diabetes patients',
    source: `B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, Annals of Statistics 32 (2004),
// https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html; in the form that scikit-learn distributes (BSD-3-Clause)`,
  },
};

for (const file of process.argv.slice(2)) {
  const name = basename(file, '.csv');
  const set = SETS[name];
  if (!set) throw new Error(`${file}: no such set; there are ${Object.keys(SETS).join(', ')}`);
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split(','));
  const columns = rows[0].map((_, c) => rows.map((row) => row[c]));
  const layouts = columns.map(layOut);
  const bits = [];
  layouts.forEach(({ numbers, width }) => {
    for (const n of numbers) for (let b = 0; b < width; b++) bits.push(Math.floor(n / 2 ** b) % 2);
  });
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, at) => (bytes[at >> 3] |= bit << (at & 7)));
  const target = fileURLToPath(new URL(`../../src/data/assets/${name.replace('_', '-')}.ts`, import.meta.url));
  writeFileSync(
    target,
    `// ${set.what}. Made by tools/data/make-tabular.mjs; do not edit.
// Source: ${set.source};
// the copy that scikit-learn distributes. Repacked: each column as whole numbers in as few bits as it needs, base64.

export const COUNT = ${rows.length};
/** For each column, the target last: 10^decimals, least number, bits a number. */
export const COLUMNS = ${JSON.stringify(layouts.map(({ scale, least, width }) => [scale, least, width]))} as const;
export const DATA = '${Buffer.from(bytes).toString('base64')}';
`,
  );
  console.log(`${target}: ${rows.length} rows, ${bytes.length} bytes`);
}

/** Whole numbers from 0 that stand for the column, and how to get back. */
function layOut(texts) {
  const decimals = Math.max(
    ...texts.map((text) => {
      const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text);
      return Math.max(0, fraction.length - Number(exponent));
    }),
  );
  const scale = 10 ** decimals;
  const whole = texts.map((text) => Math.round(Number(text) * scale));
  const least = Math.min(...whole);
  const numbers = whole.map((n) => n - least);
  const width = Math.max(1, Math.ceil(Math.log2(Math.max(...numbers) + 1)));
  if (width > 24) throw new Error(`a column needs ${width} bits`);
  texts.forEach((text, i) => {
    if ((numbers[i] + least) / scale !== Number(text)) throw new Error(`${text} does not come back`);
  });
  return { scale, least, width, numbers };
}
