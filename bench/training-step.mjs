// The step of a workload, captured: forward pass, loss, gradients, update. `library` is { compile, clipGradNorm_ } of the build
// that the workload was made with.

export function trainingStep({ compile, clipGradNorm_ }, { model, optimizer, loss, clip }) {
  return compile(async (input, target) => {
    optimizer.zeroGrad();
    const l = loss(model.forward(input), target);
    l.backward();
    if (clip !== undefined) clipGradNorm_(model.parameters(), clip);
    await optimizer.step();
    return l;
  });
}
