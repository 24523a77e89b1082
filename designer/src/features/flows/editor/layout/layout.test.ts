import { describe, expect, it } from 'vitest';
import { readCatalogue } from '../catalogue';
import { addNode, connect, type FlowDoc, readDoc } from '../model';
import { align, type Box, distribute } from './align';
import { type ElkGraph, fromElk, place, routeHolds, toElk } from './elk';
import { middleOf, roundPath } from './path';

const port = (name: string) => ({ name, title: { zh: name, en: name }, required: name !== 'error' });
const catalogue = readCatalogue([
  {
    type: 'voice.say',
    version: 1,
    family: 'voice',
    definition: { ports: [port('next'), port('error')] },
  },
]);

function flow(): FlowDoc {
  let doc = readDoc({ id: 'demo' });
  for (const id of ['a', 'b'])
    doc = addNode(doc, id, { type: 'voice.say', typeVersion: 1, name: '', config: {}, at: { x: 0, y: 0 } });
  return connect(doc, { from: 'a', port: 'next', to: 'b' });
}

describe('the graph for ELK', () => {
  it('has every node with fixed ports, and the wires among them', () => {
    const graph = toElk(flow(), new Set(['@start', 'a', 'b']), catalogue);
    expect(graph.children.map((one) => one.id)).toEqual(['@start', 'a', 'b']);
    const [, a] = graph.children;
    expect(a?.ports.map((one) => one.id.split('\u0000')[1])).toEqual(['in', 'next', 'error']);
    expect(graph.edges.map((one) => one.id)).toEqual(['a|next', '@start|out']);
  });

  it('leaves out wires that lead out of a part', () => {
    expect(toElk(flow(), new Set(['a']), catalogue).edges).toEqual([]);
  });

  it('puts the answer at the wanted corner and keeps the ways', () => {
    const graph = toElk(flow(), new Set(['a', 'b']), catalogue) as ElkGraph;
    graph.children[0]!.x = 12;
    graph.children[0]!.y = 40;
    graph.children[1]!.x = 412;
    graph.children[1]!.y = 12;
    graph.edges[0]!.sections = [
      { startPoint: { x: 244, y: 112 }, bendPoints: [{ x: 300, y: 112 }], endPoint: { x: 412, y: 30 } },
    ];
    const arranged = fromElk(graph, { x: 1000, y: 1000 });
    expect(arranged.places).toEqual({ a: { x: 1000, y: 1028 }, b: { x: 1400, y: 1000 } });
    expect(arranged.routes['a|next']?.points.at(-1)).toEqual({ x: 1400, y: 1018 });
    const doc = place(flow(), arranged);
    const route = doc.ui.routes?.['a|next'];
    expect(routeHolds(route, { x: 1000, y: 1028 }, { x: 1400, y: 1000 })).toBe(true);
    expect(routeHolds(route, { x: 1008, y: 1028 }, { x: 1400, y: 1000 })).toBe(false);
  });

  it('takes notes along with the node they stand at', () => {
    const doc = flow();
    const noted = { ...doc, ui: { ...doc.ui, comments: [{ id: 'c1', text: 'x', x: 10, y: -90 }] } };
    const moved = place(noted, { places: { a: { x: 100, y: 100 }, b: { x: 500, y: 100 } }, routes: {} });
    expect(moved.ui.comments).toEqual([{ id: 'c1', text: 'x', x: 110, y: 10 }]);
  });
});

describe('lining up', () => {
  const boxes: Record<string, Box> = {
    a: { x: 0, y: 0, width: 100, height: 50 },
    b: { x: 40, y: 300, width: 60, height: 50 },
    c: { x: 500, y: 100, width: 100, height: 50 },
  };

  it('moves to the outermost edge, or to the middle', () => {
    expect(align(boxes, 'left')).toMatchObject({ a: { x: 0 }, b: { x: 0 }, c: { x: 0 } });
    expect(align(boxes, 'right')).toMatchObject({ a: { x: 500 }, b: { x: 540 }, c: { x: 500 } });
    expect(align(boxes, 'middle')).toMatchObject({ a: { y: 150 }, b: { y: 150 }, c: { y: 150 } });
    expect(align({ a: boxes.a! }, 'left')).toEqual({});
  });

  it('makes equal gaps between the first and the last', () => {
    const places = distribute(boxes, 'x');
    expect(places.a?.x).toBe(0);
    expect(places.c?.x).toBe(500);
    expect(places.b!.x - 100).toBe(500 - (places.b!.x + 60));
  });
});

describe('the way of an edge', () => {
  const points = [
    { x: 0, y: 0 },
    { x: 100, y: 0 },
    { x: 100, y: 60 },
  ];

  it('has round corners that never pass the middle of a side', () => {
    expect(roundPath(points, 10)).toBe('M0 0L90 0Q100 0 100 10L100 60');
    expect(roundPath(points, 1000)).toBe('M0 0L70 0Q100 0 100 30L100 60');
  });

  it('has its label in the middle', () => {
    expect(middleOf(points)).toEqual({ x: 80, y: 0 });
  });
});
