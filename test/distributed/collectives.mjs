// Every collective call with every kind of value: process 0 prints what has come back. See distributed.test.ts.
import { disposeDevices, tensor } from 'nabla';
import { init } from 'nabla/distributed';

const world = await init();
const { rank, worldSize } = world;
const say = (name, value) => rank === 0 && console.log(JSON.stringify({ name, value }));
const arrayOf = async (t) => ({ dtype: t.dtype, array: await t.array() });
const errorOf = (body) =>
  body().then(
    () => 'no error',
    (error) => `${error.name}: ${error.message}`,
  );

say('number', await world.allReduce(rank + 1));
say('list', await world.allReduce([rank, 1], 'max'));
say('typed', [...(await world.allReduce(Float64Array.of(rank, 0.5), 'mean'))]);
for (const dtype of ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8'])
  say(dtype, await arrayOf(await world.allReduce(tensor([[rank + 1, 3]], { dtype }))));
// Many numbers go around in pieces; their counts are no multiple of anything.
for (const Kind of [Float32Array, Float64Array, Int32Array]) {
  const all = await world.allReduce(Kind.from({ length: 300_007 }, (_, i) => (rank + 1) * ((i % 1009) - 500)));
  const wrong = all.findIndex((v, i) => v !== ((worldSize * (worldSize + 1)) / 2) * ((i % 1009) - 500));
  say(`many ${Kind.name}`, await world.allReduce(wrong, 'max'));
}
say('bool', await arrayOf(await world.allReduce(tensor([rank === 1, false], { dtype: 'bool' }), 'max')));
say('min', await arrayOf(await world.allReduce(tensor([rank + 2, -rank]), 'min')));
say('broadcast', await arrayOf(await world.broadcast(tensor([rank, 5], { dtype: 'int32' }), worldSize - 1)));
say('gather', await world.gather([rank, 7]));
say('nothing gathered', await world.allReduce(Number((await world.gather(rank, 0)) === undefined)));
say('allGather', await Promise.all((await world.allGather(tensor([rank + 0.5]))).map((t) => t.array())));
const rows = Array.from({ length: 2 * worldSize }, (_, i) => [i, 1]);
say('reduceScatter', await arrayOf(await world.reduceScatter(tensor(rows))));
// Calls that are not awaited keep their order.
say('at once', await Promise.all([world.allReduce(1), world.broadcast([rank]), world.allReduce(2, 'mean')]));
// A tensor is read later than a number is, on each process at another time: calls take their turns when they are made.
const slow =
  rank === 0
    ? tensor(Float32Array.from({ length: 1 << 16 }, () => 0))
        .sin()
        .sum()
        .add(3)
        .reshape([1])
    : tensor([3]);
const both = [world.allReduce(slow), world.allReduce(1)];
let underWay = 'none under way';
try {
  world.checkIdle('here');
} catch {
  underWay = 'two calls under way';
}
say('in the order of the calls', [[...(await (await both[0]).data())], await both[1], underWay]);
await world.barrier();
say('shapes', await errorOf(() => world.allReduce(new Float32Array(3 + rank))));
say('calls', await errorOf(() => (rank === 0 ? world.allReduce(1) : world.barrier())));
say('rank', await errorOf(() => world.broadcast(1, worldSize)));
say('mean of int32', await errorOf(() => world.allReduce(tensor([1], { dtype: 'int32' }), 'mean')));
say('sum of bool', await errorOf(() => world.allReduce(tensor([true], { dtype: 'bool' }))));
say('parts', await errorOf(() => world.reduceScatter(new Float32Array(2 * worldSize + 1))));
say('combination', await errorOf(() => world.allReduce(1, 'median')));
say('text', await errorOf(() => world.allReduce('1')));
say('init', await errorOf(() => init({ time: 3 })));
say('timeout', await errorOf(() => init({ timeout: 0 })));
await disposeDevices();
