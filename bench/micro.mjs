// M1: single operations, as GFLOP/s or GB/s and as a share of what the machine can do. Matmul and convolution take turns with
// the micro-kernel, natively on all threads. Row kernels take turns with a copy of 16 MiB to 16 MiB and with a copy that touches
// as much memory as they do (the more memory, the further away it is), and are compared with their own speed on rows that stay
// in the cache, where nothing but their arithmetic takes time.

import * as nabla from 'nabla';
import { CACHED_ROWS, ROWS, microCases } from './micro-cases.mjs';
import { COPY_BYTES, computing, copying, peakArithmetic, peakCopy } from './peak.mjs';
import { running } from './running.mjs';
import { measure, measureTurns, round } from './timing.mjs';

export async function micro(tier, threads, report) {
  const peak = computing(tier, threads);
  const arithmetic = await peakArithmetic(peak);
  const copy = await peakCopy();
  report({ workload: 'M1.peak', gflops: round(arithmetic, 1), gbps: round(copy, 1), share: 1 });
  const copies = copying();
  for (const { name, make, flops, bytes, touched, cached } of microCases(nabla)) {
    const figures = ({ median, min }) => ({
      workload: `M1.${name}`,
      ms_median: round(median, 4),
      ms_min: round(min, 4),
    });
    if (flops !== undefined) {
      const { a: time, ratio } = await measureTurns(running(nabla, make()), peak.run);
      const rate = flops / time.median / 1e6;
      report({ ...figures(time), gflops: round(rate, 1), share: round(flops / peak.flops / ratio) });
    } else {
      const kernel = running(nabla, make());
      const { a: time, ratio } = await measureTurns(kernel, copies);
      const alike = await measureTurns(kernel, copying(touched / 2));
      const bound = (await measure(running(nabla, cached()), { seconds: 1 })).median * (ROWS / CACHED_ROWS);
      report({
        ...figures(time),
        gbps: round(bytes / time.median / 1e6, 1),
        share_of_copy: round(bytes / COPY_BYTES / ratio),
        share_of_alike: round(1 / alike.ratio),
        share_of_cached: round(bound / time.median),
      });
    }
  }
}
