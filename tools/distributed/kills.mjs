// Kills a random process of a training run at a random moment, again and again, and takes the run up after each: the job has to end within seconds
// and say who has died, the checkpoint that was there at the kill, or a later one, has to be the one that the run goes on from, and the run has to come out as
// one that was never broken off.
//   node tools/distributed/kills.mjs [kills: 50] [processes: 2]        after a build; needs mpirun and mpicc
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [, , kills = '50', processes = '2'] = process.argv;
const program = fileURLToPath(new URL('../../test/distributed/long-run.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nabla-kills-'));
const env = {
  ...process.env,
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  NABLA_THREADS: '1',
  NABLA_CPU: 'wasm',
  NABLA_MPI_TIMEOUT: '60',
};

function start(where) {
  const child = spawn(env.NABLA_MPIRUN ?? 'mpirun', ['-n', processes, process.execPath, program, where], { env });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) child[stream].on('data', (part) => (said[stream] += part));
  const ended = new Promise((resolve) => child.on('close', (status) => resolve({ status, ...said })));
  return { ended };
}

const outcome = ({ stdout }) => JSON.parse(stdout.split('\n').findLast((line) => line.startsWith('{')));

/** The update of a run's checkpoint, which is replaced as a whole; 0 where there is none yet. */
function checkpointOf(where) {
  const path = join(where, 'run/checkpoint.safetensors');
  if (!existsSync(path)) return 0;
  const file = openSync(path);
  const length = Buffer.alloc(8);
  readSync(file, length, 0, 8, 0);
  const header = Buffer.alloc(Number(length.readBigUInt64LE()));
  readSync(file, header, 0, header.length, 8);
  closeSync(file);
  return JSON.parse(JSON.parse(header)['__metadata__'].progress).step;
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const begun = performance.now();
const whole = outcome(await start(join(folder, 'whole')).ended);
const seconds = (performance.now() - begun) / 1000;
let [done, runs, wordless, slowest] = [0, 0, 0, 0];
while (done < Number(kills)) {
  const where = join(folder, `run-${runs++}`);
  let kept = 0;
  for (;;) {
    const { ended } = start(where);
    const victim = Math.floor(Math.random() * Number(processes));
    const file = join(where, `process-${victim}`);
    rmSync(file, { force: true });
    const first = await Promise.race([ended, sleep(Math.random() * seconds * 1000)]);
    if (first === undefined && existsSync(file) && done < Number(kills)) {
      try {
        const before = checkpointOf(where);
        process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
        done++;
        const killed = performance.now();
        const { status, stderr } = await ended;
        slowest = Math.max(slowest, (performance.now() - killed) / 1000);
        if (status === 0) throw new Error('the job ended well');
        kept = checkpointOf(where);
        if (kept < before) throw new Error(`the checkpoint of update ${before} is lost: there is ${kept}`);
        if (!stderr.includes(`rank ${victim} (process `)) wordless++;
        continue;
      } catch (error) {
        if (error.code !== 'ESRCH') throw error; // it had just ended
      }
    }
    const end = await ended;
    if (end.status !== 0) throw new Error(`a run that nobody killed ends with ${end.status}:\n${end.stderr}`);
    const { digests, step, begun: from } = outcome(end);
    if (from !== kept)
      throw new Error(`run ${runs} went on from update ${from}, and the checkpoint was of update ${kept}`);
    if (JSON.stringify([digests, step]) !== JSON.stringify([whole.digests, whole.step]))
      throw new Error(
        `run ${runs} came out differently: ${JSON.stringify([digests, step])} and not ${JSON.stringify(whole)}`,
      );
    break;
  }
  console.log(
    `${done} kills, ${runs} runs as if unbroken, ${wordless} jobs without the name, slowest end ${slowest.toFixed(1)} s`,
  );
}
rmSync(folder, { recursive: true });
