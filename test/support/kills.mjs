// Kills a run with SIGKILL at random moments, takes it up again each time, and compares it in the end with an unbroken one.
// Plain JavaScript on the built command, so that the soak tool and the test can both use it.
//   { cwd, kills, seed, epochs } in, a report out; throws an Error that says what was lost.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
const definition = join(root, 'test', 'support', 'killed-run.ts');

/** Runs the command; kills it `after` milliseconds, counted from the start event if `isStarted`. Gives its exit status. */
function run(cwd, args, after, isStarted) {
  return new Promise((resolve, reject) => {
    // one tier, so that runs can be compared bit for bit
    const child = spawn(process.execPath, [main, 'train', ...args, '--json'], {
      cwd,
      env: { ...process.env, NABLA_CPU: 'wasm' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stderr, timer] = ['', undefined];
    const arm = () => (timer ??= after === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), after));
    if (!isStarted) arm();
    child.stdout.on('data', arm);
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stderr });
    });
  });
}

/** The record without times; a last line that was cut off is left out. */
/** What a record says of the machine, and not of the training. */
const MEASURED = ['seconds', 'samplesPerSecond', 'waiting', 'time', 'tensorBytes', 'processBytes'];

function readRecord(folder) {
  const path = join(folder, 'metrics.jsonl');
  if (!existsSync(path)) return [];
  const events = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    try {
      const event = JSON.parse(line);
      for (const name of MEASURED) delete event[name];
      events.push(event);
    } catch {
      break;
    }
  }
  return events;
}

/** What has to be true of a folder at any moment. */
async function checkFolder(folder, when) {
  const { parseSafetensors } = await import(new URL('../../dist/io/index.js', import.meta.url));
  for (const name of ['checkpoint', 'weights', 'best']) {
    const path = join(folder, `${name}.safetensors`);
    if (!existsSync(path)) continue;
    const { metadata } = parseSafetensors(readFileSync(path), path); // throws for a file that cannot be read
    if (name !== 'checkpoint') continue;
    const { epoch, history } = JSON.parse(metadata.progress);
    const recorded = readRecord(folder).flatMap((e) => (e.event === 'epoch' ? [e.epoch] : []));
    const expected = Array.from({ length: epoch }, (_, i) => i + 1);
    for (const [what, list] of [
      ['the checkpoint', history.map((e) => e.epoch)],
      ['the record', recorded.slice(0, epoch)],
    ]) {
      if (String(list) !== String(expected)) throw new Error(`${when}: ${what} has epochs ${list}, not ${expected}.`);
    }
  }
}

export async function killAndResume({ cwd, kills, seed = 1, epochs = 12, spread = 700 }) {
  let state = seed >>> 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const settings = [definition, '--seed', `${seed}`, '--epochs', `${epochs}`];
  const [whole, broken] = ['whole', 'broken'].map((name) => join(cwd, `${name}-${seed}`));
  const { status, stderr } = await run(cwd, [...settings, '--out', whole]);
  if (status !== 0) throw new Error(`the unbroken run ended with ${status}: ${stderr}`);

  let killed = 0;
  for (let attempt = 0; ; attempt++) {
    const begun = existsSync(join(broken, 'config.json'));
    const args = begun ? [definition, '--resume', broken] : [...settings, '--out', broken];
    const isFree = killed < kills;
    const result = await run(cwd, args, isFree ? random() * spread : undefined, random() < 0.8);
    if (result.signal === 'SIGKILL') {
      killed++;
      await checkFolder(broken, `after kill ${killed}`);
      continue;
    }
    if (result.status !== 0)
      throw new Error(`after ${killed} kills the run ended with ${result.status}: ${result.stderr}`);
    break;
  }
  await checkFolder(broken, 'at the end');
  for (const name of ['weights.safetensors', 'best.safetensors']) {
    if (!readFileSync(join(whole, name)).equals(readFileSync(join(broken, name)))) {
      throw new Error(`${name} differs from that of the unbroken run (seed ${seed}, ${killed} kills).`);
    }
  }
  const [expected, found] = [readRecord(whole), readRecord(broken)].map((events) =>
    events.map(({ config: _, ...rest }) => JSON.stringify(rest)),
  );
  const differs = expected.findIndex((line, i) => line !== found[i]);
  if (differs >= 0 || expected.length !== found.length) {
    throw new Error(`the record differs from that of the unbroken run at line ${differs + 1}: ${found[differs]}`);
  }
  return { killed, epochs, events: found.length };
}
