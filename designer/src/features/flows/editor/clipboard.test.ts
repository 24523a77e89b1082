import { describe, expect, it } from 'vitest';
import { readCatalogue } from './catalogue';
import { copyOf, paste, readClip } from './clipboard';
import { addNode, connect, readDoc } from './model';
import { NOTHING } from './store';

const catalogue = readCatalogue(
  ['voice.say', 'voice.collect', 'logic.set'].map((type) => ({
    type,
    version: 1,
    family: 'voice',
    definition: {},
  })),
);

function flow() {
  let doc = readDoc({
    id: 'one',
    variables: [
      { name: 'card', type: 'string' },
      { name: 'other', type: 'any' },
    ],
  });
  doc = addNode(doc, 'collect', {
    type: 'voice.collect',
    typeVersion: 1,
    name: 'Card',
    config: {},
    at: { x: 0, y: 0 },
  });
  doc = addNode(doc, 'keep', {
    type: 'logic.set',
    typeVersion: 1,
    name: 'Keep',
    config: { assignments: [{ name: 'card', value: 'nodes.collect.digits' }] },
    at: { x: 300, y: 40 },
  });
  return connect(doc, { from: 'collect', port: 'next', to: 'keep' });
}

const all = { ...NOTHING, nodes: new Set(['collect', 'keep']) };

describe('copying and pasting', () => {
  it('gives new ids and follows every mention of the old ones', () => {
    const doc = flow();
    const pasted = paste(doc, copyOf(doc, all)!, { x: 1000, y: 500 });
    expect(pasted.nodes).toEqual(['collect_2', 'set']);
    expect(pasted.doc.nodes.set?.config).toEqual({
      assignments: [{ name: 'card', value: 'nodes.collect_2.digits' }],
    });
    expect(pasted.doc.edges).toContainEqual({ from: 'collect_2', port: 'next', to: 'set' });
    expect(pasted.doc.ui.positions?.collect_2).toEqual({ x: 1000, y: 500 });
    expect(pasted.doc.ui.positions?.set).toEqual({ x: 1300, y: 540 });
    expect(pasted.doc.nodes.collect).toBe(doc.nodes.collect);
  });

  it('keeps ids and brings the variables along into another flow', () => {
    const clip = copyOf(flow(), all)!;
    const text = JSON.stringify(clip);
    const read = readClip(text, catalogue);
    if (!('clip' in read)) throw new Error('not read');
    const pasted = paste(readDoc({ id: 'two' }), read.clip, { x: 0, y: 0 });
    expect(pasted.nodes).toEqual(['collect', 'keep']);
    expect(pasted.doc.variables.map((one) => one.name)).toEqual(['card']);
  });

  it('takes the edges among the nodes only', () => {
    const clip = copyOf(flow(), { ...NOTHING, nodes: new Set(['keep']) })!;
    expect(clip.edges).toEqual([]);
  });

  it('reads a whole flow', () => {
    const read = readClip(JSON.stringify(flow()), catalogue);
    expect('clip' in read && Object.keys(read.clip.nodes)).toEqual(['collect', 'keep']);
  });
});

describe('what cannot be pasted', () => {
  it.each([
    ['hello', 'no nodes'],
    ['[1, 2]', 'no "nodes"'],
    ['{"nodes": {"a": {"name": "x"}}}', 'broken'],
    ['{"nodes": {"a": {"type": "voice.sing", "config": {}}}}', 'voice.sing'],
    ['{"nodes": {"a": {"type": "voice.say", "config": 3}}}', 'config'],
  ])('%s is refused and says why', (text, why) => {
    const read = readClip(text, catalogue);
    expect('problem' in read && read.problem.en).toContain(why);
    expect('problem' in read && read.problem.zh).toBeTruthy();
  });
});
