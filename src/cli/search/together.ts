// A search on several processes: process 0 chooses and hands out, and each of them, process 0 included, keeps a worker.

import { hostname } from 'node:os';
import type { World } from '../../distributed/index.js';
import type { RunningTrial } from '../../train/index.js';
import { isFirst, launched } from '../together.js';
import { terminalOf } from '../terminal.js';
import { TrialHub } from './hub.js';
import type { HubAddress } from './lines.js';
import type { SearchTask } from './objective.js';
import { WorkerKeeper } from './supervise.js';

/** Who carries out the trials of a search. */
export interface Workers {
  readonly count: number;
  /** Starts them for this task; what comes back carries out a trial on one of them. `again` is the command that goes on with the search. */
  begin(
    task: SearchTask,
    again: string,
  ): Promise<(params: Readonly<Record<string, unknown>>, trial: RunningTrial) => Promise<number>>;
  /** A command as the launcher starts it. */
  launched(command: string): string;
}

interface Orders {
  readonly task: SearchTask;
  readonly address: HubAddress;
  /** The command that goes on with the search. */
  readonly again: string;
}

/** `search` on process 0; the others work for it until it has ended. */
export async function searchTogether(world: World, search: (workers: Workers) => Promise<void>): Promise<void> {
  const { rank } = world;
  const isOneMachine = new Set(world.exchange(hostname())).size === 1;
  if (!isFirst(world)) {
    const { task, address, again } = world.tell<Orders | undefined>(undefined) as Orders; // process 0 has them
    world.hint(`Go on with: ${launched(world, again)}`);
    return new WorkerKeeper({ task, address, rank }).ended;
  }
  const own: { hub?: TrialHub; keeper?: WorkerKeeper } = {};
  const begin: Workers['begin'] = async (task, again) => {
    world.hint(`Go on with: ${launched(world, again)}`);
    const say = (text: string): void => terminalOf(process.stderr).line(`nabla: ${text}`);
    const hub = await TrialHub.open(isOneMachine, say);
    own.hub = hub;
    const orders: Orders = { task, address: hub.address, again };
    world.tell(orders);
    const keeper = new WorkerKeeper({ ...orders, rank });
    own.keeper = keeper;
    const failed = keeper.ended.then(() => new Promise<never>(() => {})); // it ends well when nobody needs it any more
    failed.catch(() => {}); // while no trial is under way
    return (params, trial) => Promise.race([hub.run(params, trial), failed]);
  };
  try {
    await search({ count: world.worldSize, begin, launched: (command) => launched(world, command) });
  } finally {
    await own.hub?.close();
    own.keeper?.stop();
  }
}
