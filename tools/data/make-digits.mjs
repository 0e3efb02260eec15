// Makes src/data/assets/digits.ts from scikit-learn's digits.csv: `node tools/data/make-digits.mjs digits.csv`.
//   The file: 1,797 lines of 64 pixels 0..16 and a label 0..9. It lies in the scikit-learn wheel:
//   pip download --no-deps scikit-learn && unzip -p scikit_learn-*.whl sklearn/datasets/data/digits.csv.gz | gunzip > digits.csv
// Output: pixels as 5-bit and labels as 4-bit numbers, least significant bit first, in base64.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [csv] = process.argv.slice(2);
if (!csv) {
  console.error('usage: node tools/data/make-digits.mjs digits.csv');
  process.exit(2);
}
const rows = readFileSync(csv, 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));
for (const [i, row] of rows.entries()) {
  const ok = row.length === 65 && row.every((n) => Number.isInteger(n) && n >= 0 && n <= 16) && row[64] <= 9;
  if (!ok) throw new Error(`${csv}:${i + 1} is not 64 pixels 0..16 and a label 0..9`);
}

function pack(numbers, bits) {
  const bytes = new Uint8Array(Math.ceil((numbers.length * bits) / 8));
  numbers.forEach((n, i) => {
    for (let b = 0; b < bits; b++) {
      const at = i * bits + b;
      bytes[at >> 3] |= ((n >> b) & 1) << (at & 7);
    }
  });
  return Buffer.from(bytes).toString('base64');
}

const target = fileURLToPath(new URL('../../src/data/assets/digits.ts', import.meta.url));
writeFileSync(
  target,
  `// ${rows.length} handwritten digits of 8 x 8 pixels. Made by tools/data/make-digits.mjs; do not edit.
// Source: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository (1998),
// https://doi.org/10.24432/C50P49, licence CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); the copy of its test
// set that scikit-learn distributes (BSD-3-Clause). Repacked: pixels 0..16 as 5 bits, labels as 4 bits, base64.

export const COUNT = ${rows.length};
export const LABELS = '${pack(
    rows.map((r) => r[64]),
    4,
  )}';
export const PIXELS = '${pack(
    rows.flatMap((r) => r.slice(0, 64)),
    5,
  )}';
`,
);
console.log(`${target}: ${rows.length} digits`);
