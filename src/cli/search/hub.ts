// Hands out the trials of a search to worker processes, on this machine or on others, which call here. A worker that is lost
// costs nothing but time: its trial goes to another one.
//   search → run(params, trial) → a worker that is free → its reports and its result
// Must not know: how workers are started (supervise.ts), and what a trial is (worker.ts).

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { NablaError } from '../../index.js';
import type { RunningTrial } from '../../train/index.js';
import { type Assignment, type Greeting, type HubAddress, type TrialNews, onLines, sendLine } from './lines.js';

/** A trial that has taken so many workers with it is to blame itself. */
const MOST_LOST = 3;

/** What a trial that is under way comes to. */
interface Listener {
  readonly news: (news: TrialNews) => void;
  readonly lost: () => void;
}

interface Worker {
  readonly socket: Socket;
  readonly name: string;
  listener: Listener | undefined;
}

/** Thrown where a worker is lost while it has a trial. */
class LostWorker extends Error {}

export class TrialHub {
  readonly address: HubAddress;
  readonly #server: Server;
  readonly #onLost: (text: string) => void;
  readonly #sockets = new Set<Socket>();
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  private constructor(server: Server, hosts: readonly string[], onLost: (text: string) => void) {
    this.#server = server;
    this.#onLost = onLost;
    const { port } = server.address() as AddressInfo; // of a server of TCP
    this.address = { hosts, port, secret: randomBytes(32).toString('hex') };
    server.on('connection', (socket) => this.#greet(socket));
  }

  /** Listens for workers of this machine, or of others too; `onLost` is told when one has died over a trial. */
  static async open(isOneMachine: boolean, onLost: (text: string) => void): Promise<TrialHub> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, isOneMachine ? '127.0.0.1' : undefined, resolve);
    });
    return new TrialHub(server, isOneMachine ? ['127.0.0.1'] : [hostname(), ...ownAddresses()], onLost);
  }

  /** Carries a trial out on a worker that is free; on another one, where that is lost. Throws what the trial throws. */
  async run(params: Assignment['params'], trial: RunningTrial): Promise<number> {
    let reported = -Infinity;
    const seen: RunningTrial = {
      number: trial.number,
      seed: trial.seed,
      // The same trial, seeded alike, reports again what it has reported before.
      report: async (value, step) => {
        if (step <= reported) return true;
        reported = step;
        return trial.report(value, step);
      },
    };
    for (let lost = 1; ; lost++) {
      const worker = this.#idle.pop() ?? (await new Promise<Worker>((resolve) => this.#waiting.push(resolve)));
      try {
        const result = await converse(worker, params, seen);
        this.#release(worker);
        return result;
      } catch (error) {
        if (!(error instanceof LostWorker)) {
          this.#release(worker);
          throw error;
        }
        const name = `search: trial ${trial.number + 1}`;
        if (lost === MOST_LOST)
          throw new NablaError(`${name}: ${lost} workers have died over it, the last was ${worker.name}.`);
        this.#onLost(`${worker.name} has died; trial ${trial.number + 1} goes to another one.`);
      }
    }
  }

  /** Workers end when they are not needed any more. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #greet(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setKeepAlive(true, 10_000); // a machine that is gone says nothing
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    let worker: Worker | undefined;
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (worker === undefined) return;
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
      worker.listener?.lost();
    });
    onLines(socket, (message) => {
      if (worker !== undefined) return worker.listener?.news(message as TrialNews); // of a worker that knows the secret
      const greeting = message as Partial<Greeting> | null;
      if (!isSame(greeting?.secret, this.address.secret)) return void socket.destroy();
      const { rank, pid, host } = greeting as Greeting;
      worker = { socket, name: `the worker of rank ${rank} (process ${pid} on ${host})`, listener: undefined };
      this.#release(worker);
    });
  }

  #release(worker: Worker): void {
    if (worker.socket.destroyed) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(worker);
    else next(worker);
  }
}

function converse(worker: Worker, params: Assignment['params'], trial: RunningTrial): Promise<number> {
  const { number, seed } = trial;
  return new Promise<number>((resolve, reject) => {
    worker.listener = {
      lost: () => reject(new LostWorker()),
      news: (news) => {
        if ('step' in news)
          trial.report(Number(news.value), news.step).then((goOn) => sendLine(worker.socket, { goOn }), reject);
        else if ('result' in news) resolve(Number(news.result));
        else reject(new NablaError(`search: trial ${number + 1} on ${worker.name}: ${news.error}`));
      },
    };
    sendLine(worker.socket, { params, number, seed } satisfies Assignment);
    if (worker.socket.destroyed) reject(new LostWorker());
  }).finally(() => (worker.listener = undefined));
}

/** Takes the same time whatever is wrong. */
function isSame(given: unknown, secret: string): boolean {
  const [a, b] = [Buffer.from(String(given)), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The numbers under which other machines may reach this one. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list = []) =>
    list.flatMap(({ address, internal, scopeid = 0 }) => (internal || scopeid > 0 ? [] : [address])),
  );
}
