import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addNode, connect, readDoc } from '../model';
import type { Schema } from '../widgets/schema';
import { policyOf, renamedPorts, renameNode, setConfig, setPolicy } from './changes';

const TYPES: { type: string; schema: Schema; example: Record<string, unknown> }[] = JSON.parse(
  readFileSync('fixtures/node-types.json', 'utf8'),
);
const schemaOf = (type: string) => TYPES.find((one) => one.type === type)!.schema;

function menu() {
  let doc = readDoc({});
  const config = { choices: [{ key: '1' }, { key: '2' }], prompt: { parts: [] } };
  doc = addNode(doc, 'menu', { type: 'voice.menu', typeVersion: 1, name: '', config, at: { x: 0, y: 0 } });
  doc = addNode(doc, 'a', { type: 'voice.say', typeVersion: 1, name: '', config: {}, at: { x: 0, y: 0 } });
  return connect(connect(doc, { from: 'menu', port: '1', to: 'a' }), { from: 'menu', port: '2', to: 'a' });
}

describe('ways out', () => {
  it('take their edge along when the key changes', () => {
    const doc = setConfig(menu(), 'menu', schemaOf('voice.menu'), ['choices', 0, 'key'], '5');
    expect(doc.edges.map((edge) => edge.port)).toEqual(['5', '2']);
  });

  it('keep their edges when the order changes or something is added', () => {
    const swapped = [{ key: '2' }, { key: '1' }];
    const doc = setConfig(menu(), 'menu', schemaOf('voice.menu'), ['choices'], swapped);
    expect(doc.edges.map((edge) => edge.port)).toEqual(['1', '2']);
    const more = setConfig(menu(), 'menu', schemaOf('voice.menu'), ['choices', 2], { key: '3' });
    expect(more.edges.map((edge) => edge.port)).toEqual(['1', '2']);
  });

  it('take their edge with them when they go', () => {
    const doc = setConfig(menu(), 'menu', schemaOf('voice.menu'), ['choices', 0], undefined);
    expect(doc.edges).toEqual([{ from: 'menu', port: '2', to: 'a' }]);
  });

  it('never take an edge from another', () => {
    expect([...renamedPorts(['a', 'b'], ['b', 'b'])]).toEqual([]);
    expect([...renamedPorts(['a', 'b'], ['', 'b'])]).toEqual([]);
    expect([...renamedPorts(['a', 'b'], ['c', 'b'])]).toEqual([['a', 'c']]);
  });

  it('may be a list of plain names', () => {
    let doc = readDoc({});
    doc = addNode(doc, 'p', {
      type: 'logic.parallel',
      typeVersion: 1,
      name: '',
      config: { branches: ['a', 'b'] },
      at: { x: 0, y: 0 },
    });
    doc = connect(doc, { from: 'p', port: 'b', to: 'p' });
    doc = setConfig(doc, 'p', schemaOf('logic.parallel'), ['branches', 1], 'c');
    expect(doc.edges).toEqual([{ from: 'p', port: 'c', to: 'p' }]);
  });
});

describe('what happens when it goes wrong', () => {
  it('is written only where it differs from the standard', () => {
    const spec = { type: 'voice.say', config: {} };
    const set = setPolicy(spec, { retries: 2 });
    expect(policyOf(set)).toEqual({ timeout: null, retries: 2, backoff: 1, on_error: 'port' });
    expect(setPolicy(set, { retries: 0 })).toEqual(spec);
  });
});

describe('another id', () => {
  it('is taken along by everything that names the node', () => {
    let doc = menu();
    doc = {
      ...doc,
      handlers: { hangup: 'menu', error: null },
      shortcuts: [{ key: '0', to: 'menu' }],
      nodes: {
        ...doc.nodes,
        a: { type: 'logic.branch', config: { condition: 'nodes.menu.key == "1" and nodes.menu_2.key' } },
      },
      ui: { ...doc.ui, groups: [{ id: 'g', name: '', nodes: ['menu', 'a'] }] },
    };
    const renamed = renameNode(doc, 'menu', 'main');
    expect(Object.keys(renamed.nodes)).toEqual(['main', 'a']);
    expect(renamed.entry).toBe('main');
    expect(renamed.handlers.hangup).toBe('main');
    expect(renamed.shortcuts[0]?.to).toBe('main');
    expect(renamed.edges.every((edge) => edge.from === 'main')).toBe(true);
    expect(renamed.nodes.a?.config.condition).toBe('nodes.main.key == "1" and nodes.menu_2.key');
    expect(renamed.ui.groups?.[0]?.nodes).toEqual(['main', 'a']);
    expect(renamed.ui.positions?.main).toEqual({ x: 0, y: 0 });
  });

  it('is refused when it is taken or not allowed', () => {
    const doc = menu();
    expect(renameNode(doc, 'menu', 'a')).toBe(doc);
    expect(renameNode(doc, 'menu', '1x')).toBe(doc);
  });
});
