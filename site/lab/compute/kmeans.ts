import { type Tensor, manualSeed, tensor } from 'nabla';
import { KMeans } from 'nabla/classic';
import { HostRandom, blobs } from 'nabla/data';

export interface Settings {
  points: number;
  groups: number;
  spread: number;
  clusters: number;
  init: string;
  seed: number;
}

/** Lloyd's algorithm, an iteration a frame: rows find their nearest centre, then centres move to the mean of their rows. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const { points, groups, spread, clusters, seed } = settings;
  const draw = new HostRandom(seed);
  const centres = Array.from({ length: groups }, (): [number, number] => [draw.between(-4, 4), draw.between(-4, 4)]);
  const xy = blobs({ samples: points, noise: spread, centers: centres, seed }).column('x');
  const rows: Tensor<[number, 2]> = tensor(xy, { shape: [points, 2] });

  let centers: Tensor<[number, 2]>;
  if (settings.init === 'corner') {
    // A bad beginning: all in one corner.
    centers = tensor(
      Float32Array.from({ length: 2 * clusters }, () => -5 + draw.between(0, 1.5)),
      { shape: [clusters, 2] },
    );
  } else {
    const init = settings.init === 'random' ? 'random' : 'k-means++';
    const start = await new KMeans({ clusters, init, starts: 1, maxIterations: 1, seed }).fit(rows);
    centers = tensor(Float32Array.from(await start.centers.data()), { shape: [clusters, 2] });
  }

  let before = Infinity;
  for (let iteration = 0; ; iteration++) {
    // (rows, 1, 2) − (1, clusters, 2) → squared distances (rows, clusters)
    const squared: Tensor = rows.unsqueeze(1).sub(centers.unsqueeze(0)).pow(2).sum(2);
    const labels = await squared.argmin(1).data();
    const inertia = await squared.amin(1).sum().item();
    const isOver = !(inertia < before);
    yield {
      values: { iteration, inertia, 'at rest': isOver ? 'yes' : 'no' },
      xy,
      labels,
      centers: await centers.data(),
    };
    if (isOver || iteration === 100) return;
    before = inertia;
    const oneHot = tensor(
      Float32Array.from({ length: points * clusters }, (_, i) =>
        Number(labels[Math.floor(i / clusters)] === i % clusters),
      ),
      {
        shape: [points, clusters],
      },
    );
    const counts: Tensor = oneHot.sum(0).unsqueeze(1);
    // A centre without rows stays where it is.
    const means: Tensor = oneHot.T.matmul(rows).div(counts.maximum(1));
    const moved: Tensor = means.mul(counts.gt(0).to('float32')).add(centers.mul(counts.eq(0).to('float32')));
    centers = tensor(await moved.data(), { shape: [clusters, 2] });
  }
}
