import { CpuDevice } from '../dist/engine/device/cpu/device.js';
import { registerDevice } from '../dist/engine/engine.js';
import { setDevice, tensor, compile, conv2d } from 'nabla';
let device; registerDevice('p', () => (device = new CpuDevice({ name: 'p', tier: 'native', profile: true, threads: +(process.argv[2]??2) }))); setDevice('p');
const R=(n)=>Float32Array.from({length:n},()=>Math.random()-.5);
for (const [b,c,h] of [[32,256,8],[32,512,4],[32,128,16],[32,64,32]]) {
const x = tensor(R(b*c*h*h),{shape:[b,c,h,h], requiresGrad:true}), w=tensor(R(c*c*9),{shape:[c,c,3,3],requiresGrad:true}), g=tensor(R(b*c*h*h),{shape:[b,c,h,h]});
const f = compile((x,w,g)=>{ x.grad=undefined; w.grad=undefined; const y = conv2d(x,w,{padding:1}).mul(g).sum(); y.backward(); return [y, x.grad, w.grad]; });
for (let i=0;i<30;i++) { const r = await f(x,w,g); for (const y of r) { await y.data(); y[Symbol.dispose]?.(); } }
}
for (const k of device.profile()) if (k.name.startsWith('conv')) console.log(k.name.padEnd(20),k.shapes.padEnd(60),(k.milliseconds/k.runs).toFixed(3), (k.flops/(k.milliseconds/k.runs)/1e6).toFixed(0));
process.exit(0)
