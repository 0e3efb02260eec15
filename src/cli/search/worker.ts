// A process that carries out trials, one after the other, for the process that hands them out (hub.ts). Started by supervise.ts,
// which tells it where that is; it ends when either is gone.

import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { hostname } from 'node:os';
import { createFolder } from '../run-folder.js';
import {
  type Assignment,
  type Greeting,
  type HubAddress,
  type TrialNews,
  type Verdict,
  onLines,
  sendLine,
} from './lines.js';
import { type SearchTask, runTrial } from './objective.js';

/** What a worker is told first. */
export interface WorkerOrder {
  readonly address: HubAddress;
  readonly task: SearchTask;
  readonly rank: number;
  /** It takes the place of one that has died. */
  readonly isAgain: boolean;
}

const CONNECT_MS = 5000;

process.on('disconnect', () => process.exit(0));
// Launchers and Ctrl-C signal all processes: whoever hands out trials decides.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.once('message', (order: WorkerOrder) => void work(order));

async function work({ address, task, rank, isAgain }: WorkerOrder): Promise<void> {
  createFolder(task.folder, 'create the folder'); // on another machine it is not there yet
  const socket = await reach(address).catch((error: Error) => {
    if (isAgain && (error.cause as NodeJS.ErrnoException).code === 'ECONNREFUSED') process.exit(0); // others have done the rest meanwhile
    throw error;
  });
  socket.on('close', () => process.exit(0));
  socket.setNoDelay(true);
  const verdicts: ((goOn: boolean) => void)[] = [];
  const report = (value: number, step: number): Promise<boolean> => {
    const verdict = new Promise<boolean>((resolve) => verdicts.push(resolve));
    sendLine(socket, { value: String(value), step } satisfies TrialNews);
    return verdict;
  };
  const carryOut = async ({ params, number, seed }: Assignment): Promise<void> => {
    try {
      const result = await runTrial(task, params, { number, seed, report });
      sendLine(socket, { result: String(result) } satisfies TrialNews);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      sendLine(socket, { error: text } satisfies TrialNews);
    }
  };
  onLines(socket, (message) => {
    const said = message as Assignment | Verdict; // the other side has the same version
    if ('goOn' in said) verdicts.shift()?.(said.goOn);
    else void carryOut(said);
  });
  const greeting: Greeting = { secret: address.secret, rank, host: hostname(), pid: process.pid };
  sendLine(socket, greeting);
}

/** The first of the addresses that answers. */
async function reach({ hosts, port }: HubAddress): Promise<Socket> {
  let reason: unknown;
  for (const host of hosts) {
    const socket = connect({ host, port });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`no answer within ${CONNECT_MS / 1000} seconds`)));
    try {
      await once(socket, 'connect');
      socket.setTimeout(0);
      socket.on('error', () => {}); // it is closed then
      return socket;
    } catch (error) {
      reason = error;
    }
  }
  throw new Error(`no way to ${hosts.join(', ')}, port ${port}: ${(reason as Error).message}`, {
    cause: reason,
  });
}
