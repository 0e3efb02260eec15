// Packs scikit-learn's digits.csv.gz (64 pixels 0..16 and a label per line) into src/data/digits-data.ts.
// usage: node tools/data/digits.mjs digits.csv.gz
// A pixel takes 5 bits, a label 4; the bits follow each other, most significant first, and are written as base64.

import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const rows = gunzipSync(readFileSync(process.argv[2]))
  .toString()
  .trim()
  .split('\n')
  .map((line) => line.split(',').map(Number));
const bytes = [];
let buffer = 0;
let count = 0;
const put = (value, bits) => {
  buffer = (buffer << bits) | value;
  count += bits;
  while (count >= 8) {
    bytes.push((buffer >> (count - 8)) & 255);
    count -= 8;
  }
  buffer &= (1 << count) - 1;
};
for (const row of rows) {
  for (let i = 0; i < 64; i++) put(row[i], 5);
  put(row[64], 4);
}
if (count > 0) put(0, 8 - count);
const text = Buffer.from(bytes)
  .toString('base64')
  .match(/.{1,120}/g);
const header = `// The 1,797 handwritten digits of the UCI set "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, 1998;
// CC BY 4.0), the part that scikit-learn distributes (BSD-3-Clause): 8 × 8 pixels from 0 to 16 and a label each.
// Made by tools/data/digits.mjs: 5 bits a pixel, 4 a label, most significant bit first, as base64.

export const DIGITS_COUNT = ${rows.length};

export const DIGITS_PACKED =
`;
writeFileSync('src/data/digits-data.ts', `${header}${text.map((line) => `  '${line}'`).join(' +\n')};\n`);
