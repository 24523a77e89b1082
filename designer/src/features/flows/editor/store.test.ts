import { describe, expect, it } from 'vitest';
import { addNode, connect, freeId, readDoc, removeNodes } from './model';
import { createEditor } from './store';

const label = { zh: '改', en: 'Change' };
const node = (type: string) => ({ type, typeVersion: 1, name: '', config: {}, at: { x: 0, y: 0 } });

function editor() {
  return createEditor('demo', readDoc({ id: 'demo' }), false);
}

describe('history', () => {
  it('takes back and repeats every change, in order', () => {
    const store = editor();
    const { apply } = store.getState();
    apply(label, (doc) => addNode(doc, 'a', node('voice.say')));
    apply(label, (doc) => addNode(doc, 'b', node('voice.menu')));
    apply(label, (doc) => connect(doc, { from: 'a', port: 'done', to: 'b' }));
    const full = store.getState().doc;
    for (let back = 0; back < 3; back += 1) store.getState().undo();
    expect(store.getState().doc.nodes).toEqual({});
    for (let again = 0; again < 3; again += 1) store.getState().redo();
    expect(store.getState().doc).toEqual(full);
  });

  it('joins typing into one step', () => {
    const store = editor();
    for (const name of ['N', 'Ne', 'New'])
      store.getState().apply(label, (doc) => ({ ...doc, name }), { merge: 'name' });
    expect(store.getState().past).toHaveLength(1);
    store.getState().undo();
    expect(store.getState().doc.name).toBe('');
  });

  it('forgets what was undone once something else is done', () => {
    const store = editor();
    store.getState().apply(label, (doc) => ({ ...doc, name: 'one' }));
    store.getState().undo();
    store.getState().apply(label, (doc) => ({ ...doc, name: 'two' }));
    store.getState().redo();
    expect(store.getState().doc.name).toBe('two');
  });

  it('changes nothing when the flow is only read', () => {
    const store = createEditor('demo', readDoc({ id: 'demo', name: 'old' }), true);
    store.getState().apply(label, (doc) => ({ ...doc, name: 'new' }));
    expect(store.getState().doc.name).toBe('old');
  });
});

describe('the document', () => {
  it('keeps one edge at most from a port', () => {
    let doc = readDoc({});
    doc = addNode(doc, 'a', node('voice.say'));
    doc = connect(connect(doc, { from: 'a', port: 'done', to: 'x' }), { from: 'a', port: 'done', to: 'y' });
    expect(doc.edges).toEqual([{ from: 'a', port: 'done', to: 'y' }]);
  });

  it('removes a node with everything that names it', () => {
    let doc = readDoc({});
    doc = addNode(addNode(doc, 'a', node('voice.say')), 'b', node('voice.say'));
    doc = { ...connect(doc, { from: 'a', port: 'done', to: 'b' }), shortcuts: [{ key: '0', to: 'b' }] };
    doc = removeNodes({ ...doc, handlers: { hangup: 'b', error: null } }, ['b']);
    expect(doc.edges).toEqual([]);
    expect(doc.shortcuts).toEqual([]);
    expect(doc.handlers.hangup).toBeNull();
    expect(doc.entry).toBe('a');
  });

  it('finds free ids', () => {
    const doc = addNode(readDoc({}), 'say', node('voice.say'));
    expect(freeId(doc, 'voice.say')).toBe('say_2');
  });
});

describe('a field that was asked for', () => {
  it('stays while the same node is selected again, and goes with another', () => {
    const store = editor();
    store.getState().focus('a', 'prompt');
    store.getState().select({});
    store.getState().select({ nodes: new Set(['a']) });
    expect(store.getState().focusField).toBe('prompt');
    store.setState({ focusedAt: Date.now() - 5000 });
    store.getState().select({ nodes: new Set(['a']) });
    expect(store.getState().focusField).toBe('prompt');
    store.getState().select({ nodes: new Set(['b']) });
    expect(store.getState().focusField).toBeNull();
  });
});
