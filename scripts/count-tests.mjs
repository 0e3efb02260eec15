// Reads a Vitest JSON report and prints `N passed, N failed, N skipped`; exits non-zero unless something ran and nothing
// failed. Usage: count-tests.mjs REPORT FAILED, where FAILED is 1 when a command around the tests failed: that counts as
// a failure of its own when no test shows it, and so does a test file that did not load.
import { readFileSync } from 'node:fs';

const [file, failedElsewhere] = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0 };

for (const { status, assertionResults } of readReport(file).testResults) {
  for (const test of assertionResults) counts[test.status in counts ? test.status : 'skipped']++;
  if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) counts.failed++;
}
if (counts.failed === 0 && failedElsewhere === '1') counts.failed++;

console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);

function readReport(path) {
  const text = readFileSync(path, 'utf8');
  return text === '' ? { testResults: [] } : JSON.parse(text); // empty: the tests never started
}
