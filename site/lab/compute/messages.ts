import { type Tensor, compile, manualSeed, noGrad, randn, tensor } from 'nabla';
import { communities } from 'nabla/data';
import { GCN } from 'nabla/models';
import { Parameter, aggregate, crossEntropy } from 'nabla/nn';
import { Adam } from 'nabla/optim';

export interface Settings {
  /** Layers of the network; as many rounds of messages. */
  layers: number;
  /** Nodes of each class whose class is told. */
  labelled: number;
  /** Share of a node's neighbours that are of its class. */
  inside: number;
  /** The node whose message is followed. */
  node: number;
  steps: number;
  seed: number;
}

const NODES = 60;
const CLASSES = 3;
const FEATURES = 6;
const STEPS_A_FRAME = 2;

/** Places for the nodes: neighbours attract, all repel each other; found by gradient descent. */
async function layout(edges: Int32Array): Promise<Float32Array> {
  const places = new Parameter(randn([NODES, 2]));
  const [from, to] = [edges.subarray(0, edges.length / 2), edges.subarray(edges.length / 2)].map((list) =>
    tensor(list, { dtype: 'int32' }),
  );
  const optimizer = new Adam([places], { lr: 0.1 });
  const step = compile(async () => {
    optimizer.zeroGrad();
    const p: Tensor = places;
    const pull: Tensor = p.indexSelect(0, from).sub(p.indexSelect(0, to)).pow(2).sum();
    const push: Tensor = p.unsqueeze(0).sub(p.unsqueeze(1)).pow(2).sum(2).add(0.05).pow(-1).sum();
    const loss: Tensor = pull.mul(0.5).add(push.mul(0.6)).add(p.pow(2).sum().mul(0.4));
    loss.backward();
    await optimizer.step();
    return loss;
  });
  for (let i = 0; i < 100; i++) await step();
  return await places.data();
}

/** A graph network learns classes from a few nodes; and the message of one node goes round. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const layers = Math.round(settings.layers);
  const { labelled, inside, seed } = settings;
  const set = communities({
    nodes: NODES,
    classes: CLASSES,
    degree: 5,
    inside,
    features: FEATURES,
    noise: 1,
    labelled,
    seed,
  });
  const edges = await set.edges.data();
  const places = await layout(edges);
  const count = edges.length / 2;
  const sources = tensor(edges.slice(0, count), { dtype: 'int32' });
  const targets = tensor(edges.slice(count), { dtype: 'int32' });

  // A round: each node takes the mean of what its neighbours and itself have.
  const degree: Tensor = aggregate(tensor(new Float32Array(count).fill(1), { shape: [count, 1] }), targets, NODES).add(
    1,
  );
  const round = (x: Tensor): Tensor => x.add(aggregate(x.indexSelect(0, sources), targets, NODES)).div(degree);
  const node = Math.min(NODES - 1, Math.round(settings.node));
  let message: Tensor = tensor(
    Float32Array.from({ length: NODES }, (_, i) => Number(i === node)),
    { shape: [NODES, 1] },
  );
  for (let i = 0; i < layers; i++) message = round(message);

  const model = new GCN({ inFeatures: FEATURES, classes: CLASSES, layers, hidden: 16, dropout: 0 });
  const optimizer = new Adam(model.parameters(), { lr: 0.02, weightDecay: 5e-4 });
  const labels: Tensor<[number], 'int32'> = set.y.indexSelect(0, set.train);
  const update = compile(async () => {
    optimizer.zeroGrad();
    const loss: Tensor = crossEntropy(model.forward(set.x, set.edges).indexSelect(0, set.train), labels);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const [y, train, reached] = await Promise.all([set.y.data(), set.train.data(), message.data()]);
  const isTrain = new Set(train);
  let loss = NaN;
  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      const probabilities = await noGrad(() => model.forward(set.x, set.edges).softmax(1)).data();
      const said = Array.from({ length: NODES }, (_, i) => {
        const row = probabilities.subarray(i * CLASSES, (i + 1) * CLASSES);
        return { class: row.indexOf(Math.max(...row)), sure: Math.max(...row) };
      });
      const others = said.filter((_, i) => !isTrain.has(i));
      const right = said.filter((s, i) => !isTrain.has(i) && s.class === y[i]).length;
      yield {
        values: {
          step,
          loss,
          'accuracy on the others': right / others.length,
          'nodes that the message reaches': reached.filter((v) => v > 0).length,
          'its largest share': Math.max(...reached),
        },
        places,
        edges,
        said,
        y: [...y],
        isTrain: Array.from({ length: NODES }, (_, i) => isTrain.has(i)),
        reached,
        node,
      };
      if (step === settings.steps) return;
    }
    loss = await (await update()).item();
  }
}
