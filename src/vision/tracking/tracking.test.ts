// From detections to tracks: the graph of what may be, links that share nothing, gaps that are filled; a whole scene with the right edges.
import { expect, test } from 'vitest';
import { trackScenes } from '../../data/index.js';
import { TrackingMetrics } from '../../metrics/index.js';
import { drawTracks, linkTracks, trackFrames, trackGraph } from '../index.js';

const at = (frame: number, x: number, y: number, id = -1) => ({ frame, position: [x, y] as const, id });

test('an edge to each detection that may be the same object, and which is the next', () => {
  const points = [at(0, 0, 0, 5), at(1, 4, 0), at(2, 6, 0, 5), at(2, 60, 0, 7), at(4, 9, 0, 5)];
  const { edges, features, labels, count } = trackGraph(points, { maxGap: 2, reach: 5 });
  const pairs = Array.from({ length: count }, (_, e) => [edges[e], edges[count + e], labels[e]]);
  expect(pairs).toEqual([
    [0, 1, 0],
    [0, 2, 1],
    [1, 2, 0],
    [2, 4, 1],
  ]);
  expect([...features.subarray(5, 10)]).toEqual([1, 0.6, 0, 0.6, 0].map(Math.fround));
  const looking = [
    { ...at(0, 0, 0), look: [1, 2] },
    { ...at(1, 0, 0), look: [4, -2] },
  ];
  expect(trackGraph(looking).features[4]).toBeCloseTo(Math.sqrt(25 / 2), 5);
  expect(trackGraph([]).count).toBe(0);
  expect(() => trackGraph(points, { maxGap: 0 })).toThrow('trackGraph: maxGap is 0.');
  expect(() => trackGraph([{ frame: 0, position: [1, 2, 3] }])).toThrow('trackGraph: detection 0 is at [1, 2, 3].');
});

test('each detection follows one at most: the most probable first, or the best of all', () => {
  const points = [at(0, 0, 0), at(0, 1, 0), at(1, 0, 0), at(1, 1, 0)];
  const edges = [0, 0, 1, 2, 3, 2]; // 0→2, 0→3, 1→2
  const link = (probabilities: number[], method: 'best' | 'greedy') =>
    linkTracks(points, edges, probabilities, { method, leastLength: 2 });
  expect(link([0.9, 0.85, 0.85], 'greedy')).toEqual([[0, 2]]);
  expect(link([0.9, 0.85, 0.85], 'best')).toEqual([
    [0, 3],
    [1, 2],
  ]);
  expect(link([0.4, 0.3, 0.2], 'best')).toEqual([]);
  expect(() => linkTracks(points, [0, 9], [1])).toThrow('linkTracks: an edge ends at 9, and there are 4 detections.');
  expect(() => linkTracks(points, [0], [1])).toThrow('linkTracks: 1 ends of edges for 1 probabilities.');
});

test('gaps are filled on a straight line', () => {
  const points = [at(1, 0, 0), at(4, 3, 6)];
  expect(trackFrames(points, [[0, 1]], 6).map(([object]) => object?.position)).toEqual([
    undefined,
    [0, 0],
    [1, 2],
    [2, 4],
    [3, 6],
    undefined,
  ]);
});

test('with the right edges scenes are followed, and false alarms are none of the tracks', async () => {
  const scenes = trackScenes({ scenes: 3, misses: 0.1, falseAlarms: 1, seed: 1 });
  expect(trackScenes({ scenes: 4, misses: 0.1, falseAlarms: 1, seed: 1 })[2]).toEqual(scenes[2]);
  for (const { detections, truth, frames, size } of scenes) {
    const there = truth.reduce((sum, objects) => sum + objects.length, 0);
    const seen = detections.filter(({ id }) => id >= 0).length;
    expect(seen / there).toBeGreaterThan(0.8);
    expect(seen / there).toBeLessThan(0.97);
    const { edges, labels } = trackGraph(detections);
    const found = trackFrames(detections, linkTracks(detections, edges, labels), frames);
    const metric = new TrackingMetrics({ maxDistance: 3 });
    found.forEach((objects, frame) => metric.update(objects, truth[frame]));
    const { idf1, mota } = await metric.compute();
    expect(idf1).toBeGreaterThan(0.95);
    expect(mota).toBeGreaterThan(0.9);
    expect(drawTracks(found, { size, pixels: 50, points: detections }).shape).toEqual([3, 50, 50]);
  }
  expect(() => trackScenes({ misses: 1 })).toThrow('trackScenes: misses is 1. Use a share below 1.');
});
