// Reads reports in the JSON form of Vitest and prints `N passed, N failed, N skipped`; exits non-zero unless something ran and
// nothing failed. Usage: count-tests.mjs FAILED REPORT…, where FAILED is 1 when a command around the tests failed: that
// counts as a failure of its own when no test shows it, and so do a test file that did not load and an empty report.
import { readFileSync } from 'node:fs';

const [failedElsewhere, ...files] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };

for (const file of files) {
  const text = readFileSync(file, 'utf8');
  if (text === '') counts.failed++; // its command never came to an end
  else count(JSON.parse(text));
}
if (counts.failed === 0 && failedElsewhere === '1') counts.failed++;

console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);

function count({ testResults }) {
  for (const { status, assertionResults } of testResults) {
    for (const test of assertionResults) counts[test.status in counts ? test.status : 'skipped']++;
    if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) counts.failed++;
  }
}
