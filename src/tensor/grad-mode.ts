// Whether operations are recorded for gradients. `noGrad` switches recording off for the duration of a callback,
// synchronous or not.

let enabled = true;

export function isGradEnabled(): boolean {
  return enabled;
}

/** Runs `body` without recording gradients: results inside do not require grad. PyTorch: torch.no_grad. */
export function noGrad<T>(body: () => T): T {
  const before = enabled;
  enabled = false;
  let result: T;
  try {
    result = body();
  } catch (error) {
    enabled = before;
    throw error;
  }
  if (result instanceof Promise) {
    return result.finally(() => {
      enabled = before;
    }) as T;
  }
  enabled = before;
  return result;
}
