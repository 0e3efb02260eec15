import { CpuDevice } from '../dist/engine/device/cpu/device.js';
import { registerDevice } from '../dist/engine/engine.js';
import { setDevice, tensor, compile } from 'nabla';
let device;
registerDevice('p', () => (device = new CpuDevice({ name: 'p', tier: 'native', profile: true })));
setDevice('p');
for (const s of [
  [512, 512, 3, 3],
  [64, 64, 3, 3],
  [256, 256, 3, 3],
]) {
  const w = tensor(new Float32Array(s.reduce((a, b) => a * b)), { shape: s });
  const f = compile((t) =>
    t.permute([1, 0, 2, 3]).contiguous ? t.permute([1, 0, 2, 3]).clone() : t.permute([1, 0, 2, 3]).neg(),
  );
  for (let i = 0; i < 200; i++) {
    const r = f(w);
    const y = await r;
    y[Symbol.dispose]?.();
  }
}
for (const k of device.profile()) console.log(k.name, k.shapes, (k.milliseconds / k.runs).toFixed(3));
process.exit(0);
