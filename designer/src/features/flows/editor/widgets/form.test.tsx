/** Forms of every node that ships, and of nodes that nobody here has written. */
import { readFileSync } from 'node:fs';
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import { useMemo } from 'react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Language, setLanguage } from '@/i18n';
import { addNode, readDoc } from '../model';
import { setConfig } from '../panel/changes';
import { createEditor, EditorContext, type EditorStore, useEditor, useEditorStore } from '../store';
import { Fields } from './Field';
import { type Form, FormContext, type Trouble } from './form';
import { defsOf, faultsOf, isShown, readField, type Schema } from './schema';
import { offline, Session } from './testing';

interface Definition {
  type: string;
  schema: Schema;
  example: Record<string, unknown>;
}
const TYPES: Definition[] = JSON.parse(readFileSync('fixtures/node-types.json', 'utf8'));
const byType = (type: string) => TYPES.find((one) => one.type === type)!;

function Panel({ schema, readOnly }: { schema: Schema; readOnly?: boolean }) {
  const store = useEditorStore();
  const config = useEditor((state) => state.doc.nodes.node!.config);
  const form = useMemo<Form>(() => {
    const troubles = new Map<string, Trouble[]>();
    for (const fault of faultsOf(config, schema))
      troubles.set(fault.path, [{ severity: 'error', message: fault.message }]);
    return {
      node: 'node',
      schema,
      defs: defsOf(schema),
      config,
      readOnly: readOnly ?? false,
      languages: ['zh', 'en'],
      troubles,
      focus: null,
      set: (path, value, title) =>
        store.getState().apply(title, (doc) => setConfig(doc, 'node', schema, path, value)),
    };
  }, [config, schema, store, readOnly]);
  return (
    <FormContext value={form}>
      <Fields field={readField(schema, defsOf(schema), '')} path={[]} value={config} />
    </FormContext>
  );
}

function show(definition: Definition, language: Language = 'en', readOnly = false): EditorStore {
  act(() => setLanguage(language));
  const doc = addNode(readDoc({ id: 'demo' }), 'node', {
    type: definition.type,
    typeVersion: 1,
    name: '',
    config: definition.example,
    at: { x: 0, y: 0 },
  });
  const store = createEditor('demo', doc, false);
  render(
    offline(
      <Session>
        <EditorContext value={store}>
          <Panel schema={definition.schema} readOnly={readOnly} />
        </EditorContext>
      </Session>,
    ),
  );
  return store;
}

const config = (store: EditorStore) => store.getState().doc.nodes.node!.config;
const loaded = () =>
  waitFor(() => expect(document.querySelector('.cw-widget-wait')).toBeNull(), { timeout: 20_000 });

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

beforeAll(async () => {
  // Loaded once, so that no test waits for it.
  await import('./rich');
});
afterEach(cleanup);

describe('the nodes that ship', () => {
  it.each(TYPES)(
    '$type: every field stands there with title and help in both languages',
    async (definition) => {
      show(definition);
      await loaded();
      const root = readField(definition.schema, defsOf(definition.schema), '');
      for (const language of ['en', 'zh'] as const) {
        act(() => setLanguage(language));
        for (const one of root.properties) {
          const field = readField(one.schema, defsOf(definition.schema), one.name);
          const place = document.querySelector(`[data-place="${one.name}"]`);
          const isVisible = isShown(field, definition.example, () => undefined);
          expect(place !== null, one.name).toBe(isVisible);
          if (!place) continue;
          expect(place.querySelector('label')?.textContent).toContain(field.title[language]);
          expect(place.textContent).toContain(field.help[language]);
          expect(document.getElementById(`field-node-${one.name}`), one.name).not.toBeNull();
        }
      }
    },
  );

  it.each(['voice.menu', 'voice.dial', 'logic.set', 'web.http'].map(byType))(
    '$type: nothing can be changed where the flow is only read',
    async (definition) => {
      show(definition, 'en', true);
      await loaded();
      // The tabs of languages only change what is looked at.
      for (const input of document.querySelectorAll<HTMLInputElement>('input:not([type="radio"]), textarea'))
        expect(input.disabled || input.readOnly, input.id).toBe(true);
      expect(document.querySelector('.cw-remove, .cw-handle')).toBeNull();
      expect(document.querySelector('[contenteditable="true"]')).toBeNull();
    },
  );
});

describe('a menu', () => {
  it('gets a choice with the next free key, and another key takes the edge along', async () => {
    const store = show(byType('voice.menu'));
    await loaded();
    fireEvent.click(screen.getByRole('button', { name: 'Add to Choices' }));
    expect((config(store).choices as { key: string }[]).map((one) => one.key)).toEqual(['1', '2', '3']);
    expect(store.getState().past).toHaveLength(1);
    act(() => store.getState().undo());
    expect((config(store).choices as unknown[]).length).toBe(2);
  });

  it('is put in another order by the keyboard', async () => {
    const store = show(byType('voice.menu'));
    await loaded();
    const [handle] = screen.getAllByRole('button', { name: /Choices 1 of 2\. Arrow keys move it/ });
    fireEvent.keyDown(handle!, { key: 'ArrowDown' });
    expect((config(store).choices as { key: string }[]).map((one) => one.key)).toEqual(['2', '1']);
    expect(screen.getAllByRole('status').map((one) => one.textContent)).toContain('Moved to place 2 of 2');
  });

  it('says at the field what is wrong, and goes back to the default', async () => {
    const store = show(byType('voice.menu'));
    await loaded();
    const tries = screen.getByLabelText('Tries');
    fireEvent.change(tries, { target: { value: '99' } });
    expect(config(store).tries).toBe(99);
    expect(screen.getByText('It must be from 1 to 9')).toBeTruthy();
    expect(tries.getAttribute('aria-invalid')).toBe('true');
    const described = tries.getAttribute('aria-describedby')!.split(' ');
    expect(described.map((id) => document.getElementById(id)?.textContent)).toContain(
      'It must be from 1 to 9',
    );
    fireEvent.click(screen.getByRole('button', { name: 'Tries: back to the default' }));
    expect('tries' in config(store)).toBe(false);
    expect((screen.getByLabelText('Tries') as HTMLInputElement).value).toBe('3');
  });

  it('loses a choice by its button', async () => {
    const store = show(byType('voice.menu'));
    await loaded();
    fireEvent.click(screen.getByRole('button', { name: 'Remove Choices 1' }));
    expect((config(store).choices as { key: string }[]).map((one) => one.key)).toEqual(['2']);
  });
});

describe('fields that depend on others', () => {
  it('come and go', async () => {
    const store = show({ ...byType('logic.wait'), example: {} });
    await loaded();
    expect(screen.queryByLabelText('Time of day')).toBeNull();
    act(() =>
      store
        .getState()
        .apply({ zh: '', en: '' }, (doc) =>
          setConfig(doc, 'node', byType('logic.wait').schema, ['until'], 'time'),
        ),
    );
    expect(screen.getByLabelText('Time of day')).toBeTruthy();
  });
});

describe('names and values', () => {
  it('keep a row until it has a name, and refuse one that is taken', async () => {
    const store = show({ ...byType('logic.end'), example: { outputs: { amount: 'vars.amount' } } });
    await loaded();
    fireEvent.click(screen.getByRole('button', { name: 'Add to Outputs' }));
    const name = screen.getByRole('combobox', { name: 'Name 2 in Outputs' });
    fireEvent.change(name, { target: { value: 'amount' } });
    fireEvent.blur(name);
    expect(screen.getByText('This name is used already: choose another')).toBeTruthy();
    expect(Object.keys(config(store).outputs as object)).toEqual(['amount']);
    fireEvent.change(name, { target: { value: 'total' } });
    fireEvent.blur(name);
    expect(config(store).outputs).toEqual({ amount: 'vars.amount', total: '' });
  });
});

describe('variables', () => {
  it('are created where they are needed', async () => {
    const store = show(byType('logic.set'));
    await loaded();
    const name = screen.getByRole('combobox', { name: /Variable of Assignments 1/ });
    fireEvent.change(name, { target: { value: 'new_one' } });
    fireEvent.click(screen.getByRole('button', { name: 'Create the variable “new_one”' }));
    expect(store.getState().doc.variables).toEqual([{ name: 'new_one', type: 'any' }]);
    expect(screen.queryByText(/Create the variable/)).toBeNull();
  });
});

describe('the nodes of strangers', () => {
  const stranger: Definition = {
    type: 'acme.thing',
    example: {},
    schema: {
      type: 'object',
      required: ['name'],
      $defs: {
        Cat: {
          title: 'Cat',
          type: 'object',
          properties: { kind: { const: 'cat', default: 'cat' }, lives: { type: 'integer', default: 9 } },
        },
        Dog: {
          title: 'Dog',
          type: 'object',
          properties: { kind: { const: 'dog', default: 'dog' }, trick: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string', minLength: 1 },
        ring_seconds: { anyOf: [{ type: 'integer' }, { type: 'null' }], default: null },
        flag: { type: 'boolean', default: false, 'x-widget': 'hologram' },
        pet: {
          oneOf: [{ $ref: '#/$defs/Cat' }, { $ref: '#/$defs/Dog' }],
          discriminator: { propertyName: 'kind', mapping: {} },
          default: { kind: 'cat', lives: 9 },
        },
        deep: {
          type: 'object',
          properties: { inner: { type: 'array', items: { type: 'array', items: { type: 'integer' } } } },
        },
        anything: {},
      },
    },
  };

  it('get a form of what their types say', async () => {
    const store = show(stranger);
    await loaded();
    for (const label of ['Name', 'Ring seconds', 'Flag', 'Anything'])
      expect(screen.getByText(label)).toBeTruthy();
    expect(screen.getByText('Fill this in')).toBeTruthy();
    fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: 'x' } });
    expect(config(store).name).toBe('x');
    fireEvent.click(screen.getByRole('switch', { name: 'Flag' }));
    expect(config(store).flag).toBe(true);
    const lives = within(document.querySelector<HTMLElement>('[data-place="pet.lives"]')!).getByRole(
      'spinbutton',
    );
    fireEvent.change(lives, { target: { value: '7' } });
    expect(config(store).pet).toMatchObject({ lives: 7 });
  });
});
