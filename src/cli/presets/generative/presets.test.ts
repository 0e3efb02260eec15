// The generative presets on the digits of the package, small and short: they train, are judged by another run, and report pictures; a run
// begins with the encoder or the body of another.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manualSeed } from '../../../index.js';
import { saveSafetensors } from '../../../io/index.js';
import { type RunPlan, Trainer } from '../../../train/index.js';
import { loadDefinition } from '../../definitions.js';
import { chooseSettings } from '../../settings.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-generative-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function planOf(name: string, given: Readonly<Record<string, unknown>>): Promise<RunPlan> {
  const definition = await loadDefinition(name);
  const settings = chooseSettings(definition, { data: 'digits', epochs: 1, ...given }, String);
  manualSeed(settings.seed);
  return await definition.create(settings as never);
}

/** Trains, and reports: results, lines and names of pictures. */
async function run(name: string, given: Readonly<Record<string, unknown>>) {
  const plan = await planOf(name, given);
  const { report, facts: __, ...training } = plan;
  const result = await new Trainer({ ...training, steps: 3 }).fit();
  const [lines, pictures]: [string[], string[]] = [[], []];
  const plain = (text: string) => text;
  await report?.({
    line: (text = '') => void lines.push(text),
    picture: async (file, bytes) => void pictures.push(`${file} ${bytes[0] === 0x89}`),
    columns: 80,
    style: { bold: plain, dim: plain, red: plain, green: plain, cyan: plain },
  });
  return { plan, result, lines, pictures };
}

/** A run folder as far as other runs look into it, with the weights as they start. */
async function keep(run: string, given: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(folder, `${run}-${Object.values(given).join('-')}`);
  const { model } = await planOf(run, given);
  mkdirSync(path);
  const { settings } = await loadDefinition(run);
  const config = {
    run,
    settings: { ...settings, ...given, ...('data' in settings && { data: 'digits' }) },
    device: 'cpu',
  };
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  await saveSafetensors(join(path, 'weights.safetensors'), model.stateDict());
  return path;
}

test('a DCGAN and a diffusion model are judged by a run of digits', async () => {
  const judge = join(folder, 'judge');
  mkdirSync(judge);
  const definition = await loadDefinition('digits');
  const settings = chooseSettings(definition, {}, String);
  const { model } = await definition.create(settings as never);
  writeFileSync(join(judge, 'config.json'), JSON.stringify({ run: 'digits', settings, device: 'cpu' }));
  await saveSafetensors(join(judge, 'weights.safetensors'), model.stateDict());

  const gan = await run('dcgan', { judge, width: 4, latent: 4, batchSize: 16, spectralNorm: true });
  expect(gan.result.history[0].train).toMatchObject({
    discriminator: expect.any(Number),
    generator: expect.any(Number),
  });
  expect(gan.result.history[0].validation).toMatchObject({ sure: expect.any(Number), classes: expect.any(Number) });
  expect(gan.result.test).toMatchObject({ score: expect.any(Number) });
  expect(gan.pictures).toEqual(['epochs.png true', 'samples.png true']);

  const diffusion = await run('ddpm', { width: 8, batchSize: 16, steps: 50 });
  expect(diffusion.result.history[0].validation).toEqual({});
  expect(diffusion.pictures).toEqual(['epochs.png true', 'samples.png true']);
  await expect(planOf('ddpm', { data: 'mnist', judge })).rejects.toThrow(/NABLA_DATA|this is a run of digits/);
  await expect(planOf('dcgan', { judge: join(folder, 'nowhere') })).rejects.toThrow(/nowhere/);
}, 60_000);

test('autoencoders draw copies, samples, walks, the plane, and where the digits lie', async () => {
  const vae = await run('vae', { latent: 2, hidden: 16, batchSize: 64 });
  expect(vae.result.test).toMatchObject({ loss: expect.any(Number) });
  expect(vae.pictures.map((text) => text.split('.')[0])).toEqual(['copies', 'samples', 'walks', 'plane']);
  const told = await run('vae', { latent: 2, hidden: 16, conditional: true, beta: 2 });
  expect(told.pictures.map((text) => text.split('.')[0])).toEqual(['copies', 'samples', 'walks']);
  const dense = await run('autoencoder', { noise: 0.3 });
  expect(dense.pictures).toEqual(['copies.png true', 'codes.png true']);
  expect(dense.lines[0]).toMatch(
    /^By its 10 nearest neighbours in the plane, [\d.]+ % of the test digits are known\.$/,
  );
}, 60_000);

test('a classifier begins with the encoder or the body of another run', async () => {
  const encoder = await keep('autoencoder', { model: 'conv', latent: 8, width: 4 });
  const sizes = { latent: 8, width: 4, labels: 40 };
  const { result, plan } = await run('few-labels', { ...sizes, encoder });
  expect(plan.optimizer.groups.map(({ lr }) => lr)).not.toContain(undefined);
  expect(result.test).toMatchObject({ accuracy: expect.any(Number) });
  await expect(planOf('few-labels', { ...sizes, latent: 9, encoder })).rejects.toThrow(/other sizes/);
  await expect(planOf('transfer', { base: encoder })).rejects.toThrow(
    `--set base=${encoder}: this is no run of nabla train transfer --set data=digits --set width=16. Name one.`,
  );
  const base = await keep('transfer', { classes: '01', width: 4 });
  const moved = await planOf('transfer', { classes: '567', width: 4, labels: 30, base });
  expect(moved.optimizer.groups).toHaveLength(4);
  expect((await new Trainer({ ...moved, steps: 2 }).fit()).test).toMatchObject({ accuracy: expect.any(Number) });
  await expect(planOf('transfer', { classes: '5' })).rejects.toThrow('--set classes=5: name at least two digits');
}, 60_000);
