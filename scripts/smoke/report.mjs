// Collects what passed and failed, prints it as it comes, and writes it as Vitest does, for scripts/count-tests.mjs.
import { writeFileSync } from 'node:fs';

export class Report {
  #tests = [];

  /** Runs one check; `work` throws where something is wrong, and may return a few words. */
  async check(title, work) {
    const begin = performance.now();
    const seconds = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
    try {
      const words = await work();
      console.log(`  ok      ${title}${words ? `: ${words}` : ''} (${seconds()})`);
      this.#tests.push({ title, status: 'passed' });
    } catch (error) {
      console.log(`  FAILED  ${title} (${seconds()})\n${String(error?.message ?? error).replace(/^/gm, '          ')}`);
      this.#tests.push({ title, status: 'failed' });
    }
  }

  /** What cannot be checked here, and why. */
  skip(title) {
    console.log(`  skipped ${title}`);
    this.#tests.push({ title, status: 'skipped' });
  }

  /** Prints the sum, writes `file` if there is one, and returns the exit code. */
  end(name, file) {
    const failed = this.#tests.filter(({ status }) => status === 'failed').length;
    const skipped = this.#tests.filter(({ status }) => status === 'skipped').length;
    console.log(`${name}: ${this.#tests.length - failed - skipped} passed, ${failed} failed, ${skipped} skipped`);
    const status = failed === 0 ? 'passed' : 'failed';
    const testResults = [{ name, status, assertionResults: this.#tests }];
    if (file !== undefined) writeFileSync(file, JSON.stringify({ testResults }));
    return failed === 0 && this.#tests.length > 0 ? 0 : 1;
  }
}
