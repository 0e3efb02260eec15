// Trials in processes of their own: each runs the objective that a module exports as default, one trial after the other.
// Processes share nothing, so a crash costs one trial, and threads are shared out among them. Node only.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import type { ChildProcess } from 'node:child_process';
import { NablaError } from '../../tensor/library.js';
import type { RunningTrial } from '../search/study.js';

const { fork } = process.getBuiltinModule('node:child_process');
const { mkdtemp, rm, writeFile } = process.getBuiltinModule('node:fs/promises');
const { availableParallelism, tmpdir } = process.getBuiltinModule('node:os');
const { join } = process.getBuiltinModule('node:path');

/** What a process runs. It knows the module's address and nothing of nabla; the module brings what it needs. */
const SOURCE = `
const [url] = process.argv.slice(2);
const waiting = [];
const send = (message) => new Promise((resolve) => process.send(message, resolve));
const report = async (value, step) => {
  const verdict = new Promise((resolve) => waiting.push(resolve));
  await send({ value: String(value), step });
  return verdict;
};
process.on('message', async (message) => {
  if ('goOn' in message) return waiting.shift()?.(message.goOn);
  try {
    const { default: objective } = await import(url);
    if (typeof objective !== 'function') throw new TypeError('its default export is no function');
    const result = await objective(message.params, { number: message.number, seed: message.seed, report });
    await send(typeof result === 'number' ? { result: String(result) } : { error: 'the objective returned ' + typeof result });
  } catch (error) {
    await send({ error: error instanceof Error ? error.stack ?? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {}); // Ctrl-C reaches all; the parent decides
`;

type Answer =
  | { readonly value: string; readonly step: number }
  | { readonly result: string }
  | { readonly error: string };

export class TrialProcesses {
  readonly #objective: URL;
  readonly #threads: number;
  readonly #idle: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();
  #folder: Promise<string> | undefined;

  constructor(objective: URL, parallel: number) {
    this.#objective = objective;
    this.#threads = Math.max(1, Math.floor(availableParallelism() / parallel));
  }

  /** Runs one trial in a free process, or in a new one. */
  async run(params: unknown, trial: RunningTrial): Promise<number> {
    const child = this.#idle.pop() ?? (await this.#start());
    const result = await this.#converse(child, params, trial);
    this.#idle.push(child);
    return result;
  }

  async close(): Promise<void> {
    const exits = [...this.#all].map((child) => new Promise<void>((resolve) => child.once('exit', () => resolve())));
    for (const child of this.#all) child.kill();
    await Promise.all(exits);
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<ChildProcess> {
    this.#folder ??= writeSource();
    const child = fork(join(await this.#folder, 'trial.mjs'), [this.#objective.href], {
      env: { NABLA_THREADS: String(this.#threads), ...process.env },
      execArgv: [],
    });
    this.#all.add(child);
    child.once('exit', () => {
      this.#all.delete(child);
      const at = this.#idle.indexOf(child);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return child;
  }

  #converse(child: ChildProcess, params: unknown, trial: RunningTrial): Promise<number> {
    return new Promise((resolve, reject) => {
      const name = `search: trial ${trial.number}`;
      const end = (): void => {
        child.off('message', onMessage);
        child.off('exit', onExit);
      };
      const onExit = (code: number | null, signal: string | null): void => {
        end();
        reject(new NablaError(`${name}: its process ended (${signal ?? `exit ${code}`}).`));
      };
      const onMessage = (answer: Answer): void => {
        if ('step' in answer) {
          trial.report(Number(answer.value), answer.step).then((goOn) => child.send({ goOn }), reject);
          return;
        }
        end();
        if ('result' in answer) resolve(Number(answer.result));
        else reject(new NablaError(`${name} of ${this.#objective.href}: ${answer.error}`));
      };
      child.on('message', onMessage);
      child.once('exit', onExit);
      child.send({ params, number: trial.number, seed: trial.seed });
    });
  }
}

async function writeSource(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nabla-search-'));
  await writeFile(join(folder, 'trial.mjs'), SOURCE);
  return folder;
}
