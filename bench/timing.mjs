// Timing: repeat until the time is up, and describe by median and minimum.

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

export const round = (x, digits = 3) => Number(x.toFixed(digits));
