// Timing: repeat until the time is up, and describe by median and minimum; or two things by turns, so that what else the
// machine does meets both.

export async function measure(run, { seconds = 2, least = 10, warm = 3 } = {}) {
  for (let i = 0; i < warm; i++) await run();
  const times = [];
  const start = performance.now();
  while (times.length < least || performance.now() - start < seconds * 1000) {
    const t = performance.now();
    await run();
    times.push(performance.now() - t);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1], min: times[0], count: times.length };
}

const TURN_MS = 20;

/** Both by turns of 20 ms, as `measure` describes one; `ratio`: median of the ratios of neighbouring turns, a to b. */
export async function measureTurns(a, b, { seconds = 2, warm = 3 } = {}) {
  for (let i = 0; i < warm; i++) {
    await a();
    await b();
  }
  const turn = { seconds: TURN_MS / 1000, least: 1, warm: 1 };
  const [ofA, ofB] = [[], []];
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    ofA.push(await measure(a, turn));
    ofB.push(await measure(b, turn));
  }
  const middle = (numbers) => [...numbers].sort((x, y) => x - y)[numbers.length >> 1];
  const whole = (turns) => ({
    median: middle(turns.map(({ median }) => median)),
    min: Math.min(...turns.map(({ min }) => min)),
    count: turns.reduce((n, { count }) => n + count, 0),
  });
  return { a: whole(ofA), b: whole(ofB), ratio: middle(ofA.map((x, i) => x.median / ofB[i].median)) };
}

export const round = (x, digits = 3) => Number(x.toFixed(digits));
