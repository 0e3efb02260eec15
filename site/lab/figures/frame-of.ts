/** What a computation yields. */
export type FrameOf<Run extends (settings: never) => AsyncIterable<unknown>> =
  ReturnType<Run> extends AsyncIterable<infer F> ? F : never;
