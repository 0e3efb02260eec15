import { manualSeed } from 'nabla';
import { KNeighborsClassifier } from 'nabla/classic';
import { blobs, moons, spirals } from 'nabla/data';

export interface Settings {
  data: string;
  points: number;
  noise: number;
  k: number;
  distance: string;
  weights: string;
  seed: number;
}

const SIZE = 90;
const REACH = 2.4;

function pointsOf({ data, noise }: Settings, samples: number, seed: number) {
  if (data === 'moons') return moons({ samples, noise, seed });
  if (data === 'spirals') return spirals({ samples, noise: noise / 3, seed });
  return blobs({ samples, noise: 0.3 + noise, seed, centers: [[-1, -0.8], [1, -0.8], [0, 1]] }); // prettier-ignore
}

/** Asks the k nearest points at every place of a grid, a share of the rows a frame. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const rowsOf = (samples: number, seed: number) => {
    const set = pointsOf(settings, samples, seed);
    const scale = settings.data === 'spirals' ? 2 : 1;
    const xy = [...set.column('x')].map((v, i) => scale * v - (settings.data === 'moons' ? [0.5, 0.25][i % 2] : 0));
    return { x: Array.from({ length: samples }, (_, i) => [xy[2 * i], xy[2 * i + 1]]), y: [...set.column('y')] };
  };
  const train = rowsOf(settings.points, settings.seed);
  const test = rowsOf(300, settings.seed + 1000);
  const distance =
    settings.distance === 'manhattan' ? 'manhattan' : settings.distance === 'cosine' ? 'cosine' : 'euclidean';
  const weights = settings.weights === 'distance' ? 'distance' : 'uniform';
  const k = Math.min(settings.k, settings.points);
  const model = await new KNeighborsClassifier({ k, distance, weights }).fit(train.x, train.y);
  const place = (i: number) => REACH * ((2 * (i + 0.5)) / SIZE - 1);
  const places = Array.from({ length: SIZE * SIZE }, (_, i) => [place(i % SIZE), place(Math.floor(i / SIZE))]);
  yield {
    values: {
      'training accuracy': await model.score(train.x, train.y),
      'test accuracy': await model.score(test.x, test.y),
    },
    train,
    region: Array.from(await model.predict(places), Number),
    size: SIZE,
    reach: REACH,
  };
}
