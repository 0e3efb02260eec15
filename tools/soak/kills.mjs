// 100 random SIGKILLs: node tools/soak/kills.mjs [kills] [seed]. Builds on dist/ (npm run build). Each run is killed about
// twenty times, and compared with an unbroken one: final weights byte for byte, the record line for line.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killAndResume } from '../../test/support/kills.mjs';

const wanted = Number(process.argv[2] ?? 100);
const firstSeed = Number(process.argv[3] ?? 1);
const cwd = mkdtempSync(join(tmpdir(), 'nabla-kills-'));
let [killed, runs] = [0, 0];
try {
  for (let seed = firstSeed; killed < wanted; seed++) {
    const kills = Math.min(wanted - killed, 20);
    const result = await killAndResume({ cwd, kills, seed, epochs: 100 });
    killed += result.killed;
    runs++;
    console.log(
      `run ${runs} (seed ${seed}): ${result.killed} kills, ${result.epochs} epochs, identical to the unbroken run`,
    );
  }
  console.log(
    `${killed} kills in ${runs} runs: no unreadable checkpoint, no lost epoch, identical final weights and records.`,
  );
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
