// Speed of training on several processes, against one process with as many threads and the same total batch. Both are up all the time and
// take turns of some steps, so that what else the machine does meets both; the ratio is the median of those of neighbouring turns.
//   node tools/distributed/speed.mjs [workloads: W3,W4,W6] [processes: 2] [seconds for each: 40]        after a build; needs mpirun and mpicc
// SPEED_BUCKET=2 has buckets of 2 MB instead of 25. A third group is the same without overlap where there is more than one bucket. SPEED_TORCH, a Python with
// PyTorch, adds the same in PyTorch: one process, and DistributedDataParallel (gloo) on several (tools/parity/ddp_speed.py).
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const torch = fileURLToPath(new URL('../parity/ddp_speed.py', import.meta.url));
const middle = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

const byMpi = (count, name) => [process.env.NABLA_MPIRUN ?? 'mpirun', '-n', `${count}`, process.execPath, self, name];

const TORCHRUN = '-m torch.distributed.run --master-addr 127.0.0.1 --master-port 29577 --nproc-per-node'.split(' ');
const byTorchrun = (count, name) => [process.env.SPEED_TORCH, ...TORCHRUN, `${count}`, torch, name];

if (process.env.SPEED_PORT === undefined) await lead();
else await follow();

/** Starts the groups and has them take turns. */
async function lead() {
  const [, , names = 'W3,W4,W6', processes = '2', seconds = '40'] = process.argv;
  for (const name of names.split(',')) {
    const count = Number(processes);
    const groups = {
      one: await start(1, [process.execPath, self, name], { NABLA_THREADS: processes }),
      several: await start(count, byMpi(count, name), { NABLA_THREADS: '1' }),
    };
    const { buckets } = await groups.several.turn(3);
    if (buckets > 1)
      groups['several, no overlap'] = await start(count, byMpi(count, name), {
        NABLA_THREADS: '1',
        SPEED_OVERLAP: 'no',
      });
    if (process.env.SPEED_TORCH) {
      groups['PyTorch, one'] = await start(1, [process.env.SPEED_TORCH, torch, name], { SPEED_THREADS: processes });
      groups['PyTorch, several'] = await start(count, byTorchrun(count, name), { SPEED_THREADS: '1' });
    }
    let steps = 3;
    for (const { turn } of Object.values(groups)) {
      // The native tier compiles after five seconds of running.
      for (const begun = performance.now(); performance.now() - begun < 12_000;)
        steps = Math.max(3, Math.ceil(400 / (await turn(3)).ms));
    }
    const turns = Object.fromEntries(Object.keys(groups).map((key) => [key, []]));
    for (const begun = performance.now(); performance.now() - begun < 1000 * Number(seconds);)
      for (const [key, { turn }] of Object.entries(groups)) turns[key].push(await turn(steps));
    for (const { stop } of Object.values(groups)) stop();
    const one = turns.one.map(({ ms }) => ms);
    for (const [key, list] of Object.entries(turns)) {
      const ms = list.map((turn) => turn.ms);
      const ratios = ms.map((value, i) => one[i] / value);
      console.log(
        `${name} ${key}: ${middle(ms).toFixed(1)} ms a step (least ${Math.min(...ms).toFixed(1)}), speed of one process × ${middle(ratios).toFixed(2)}, ` +
          `${list[0].waited === undefined ? '' : `waiting ${(100 * middle(list.map(({ waited }) => waited))).toFixed(1)} %, ${list[0].buckets} buckets, `}` +
          `${list.length} turns of ${steps}`,
      );
    }
  }
}

/** A group of processes: `turn(n)` has them make n steps, and tells the slowest one's milliseconds a step. */
async function start(count, [program, ...args], env) {
  const sockets = [];
  const server = createServer((socket) => sockets.push({ socket, lines: createInterface({ input: socket }) }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      OMPI_ALLOW_RUN_AS_ROOT: '1',
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
      OMPI_MCA_rmaps_base_oversubscribe: '1',
      OMPI_MCA_hwloc_base_binding_policy: 'none', // one process has no core to itself either
      ...env,
      SPEED_PORT: `${server.address().port}`,
    },
  });
  while (sockets.length < count) await once(server, 'connection');
  server.close();
  const turn = async (steps) => {
    const answers = sockets.map(({ lines }) => once(lines, 'line'));
    for (const { socket } of sockets) socket.write(`${steps}\n`);
    const all = (await Promise.all(answers)).map(([line]) => JSON.parse(line));
    return all.reduce((worst, one) => (one.ms > worst.ms ? one : worst));
  };
  const stop = () => {
    for (const { socket } of sockets) socket.end();
    return once(child, 'exit');
  };
  return { turn, stop };
}

/** One process of a group. */
async function follow() {
  const { compile, disposeDevices, tensor } = await import('nabla');
  const { DataParallel, init } = await import('nabla/distributed');
  const { WORKLOADS } = await import('../../bench/workloads.mjs');
  const world = await init();
  const { rank, worldSize } = world;
  const { model, optimizer, x, y, batch, loss } = WORKLOADS[process.argv[2]]();
  const bucketMegabytes = Number(process.env.SPEED_BUCKET ?? 25);
  const parallel = new DataParallel(model, world, { bucketMegabytes, overlap: process.env.SPEED_OVERLAP !== 'no' });
  const share = batch / worldSize;
  const part = async (t) => {
    const own = t.slice(0, rank * share, (rank + 1) * share);
    return tensor(await own.data(), { shape: own.shape, dtype: own.dtype });
  };
  const [ownX, ownY] = [await part(x), await part(y)];
  const step = compile(async (input, target) => {
    optimizer.zeroGrad();
    const l = loss(parallel.forward(input), target);
    l.backward();
    await parallel.reduceGradients();
    await optimizer.step();
    return l;
  });
  const bytes = model.parameters().reduce((sum, { size }) => sum + 4 * size, 0);
  const socket = connect(Number(process.env.SPEED_PORT), '127.0.0.1');
  for await (const line of createInterface({ input: socket })) {
    const waitedBefore = world.secondsWaited;
    const begun = performance.now();
    for (let i = 0; i < Number(line); i++) await (await step(ownX, ownY)).item();
    const seconds = (performance.now() - begun) / 1000;
    const waited = (world.secondsWaited - waitedBefore) / seconds;
    const buckets = worldSize === 1 ? 1 : Math.ceil(bytes / (bucketMegabytes * 2 ** 20));
    socket.write(`${JSON.stringify({ ms: (1000 * seconds) / Number(line), waited, buckets })}\n`);
  }
  await disposeDevices();
  process.exit(0);
}
