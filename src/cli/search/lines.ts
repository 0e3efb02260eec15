// Messages between the process that hands out trials and those that carry them out: JSON, a line each, over a socket.

import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Where trials are handed out. */
export interface HubAddress {
  /** Names and numbers of the machine: the first that answers. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** Whoever knows it is one of ours. */
  readonly secret: string;
}

/** What a worker says first. */
export interface Greeting {
  readonly secret: string;
  readonly rank: number;
  readonly host: string;
  readonly pid: number;
}

/** A trial to be carried out. */
export interface Assignment {
  readonly params: Readonly<Record<string, unknown>>;
  readonly number: number;
  readonly seed: number;
}

/** What a worker says of its trial; numbers as texts, since JSON has no NaN. */
export type TrialNews =
  | { readonly value: string; readonly step: number }
  | { readonly result: string }
  | { readonly error: string };

/** What is said to a worker that has reported. */
export interface Verdict {
  readonly goOn: boolean;
}

export function sendLine(socket: Socket, message: object): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
}

/** Hands each message to `take`; what is not JSON ends the connection. */
export function onLines(socket: Socket, take: (message: unknown) => void): void {
  createInterface({ input: socket }).on('line', (line) => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      socket.destroy();
      return;
    }
    take(message);
  });
}
