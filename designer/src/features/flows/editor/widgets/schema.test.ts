import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { moved, same, valueAt, withValue } from './paths';
import { blankOf, defsOf, faultsOf, fieldsOf, isShown, readField, type Schema, WIDGETS } from './schema';

interface Definition {
  type: string;
  schema: Schema;
  example: Record<string, unknown>;
}

/** Every node type that ships, written by `python -m nodes.reference`. */
const TYPES: Definition[] = JSON.parse(readFileSync('fixtures/node-types.json', 'utf8'));

function every(schema: Schema, visit: (name: string, part: Schema) => void): void {
  const defs = defsOf(schema);
  for (const model of [schema, ...Object.values(defs)])
    for (const [name, part] of Object.entries((model.properties ?? {}) as Record<string, Schema>))
      visit(name, part);
}

describe('the nodes that ship', () => {
  it.each(TYPES)(
    '$type: every field has the widget that it asks for, and words in both languages',
    ({ schema }) => {
      every(schema, (name, part) => {
        const field = readField(part, defsOf(schema), name);
        expect(WIDGETS).toContain(field.widget);
        if ('const' in part) return;
        expect(field.title.zh && field.title.en && field.help.zh && field.help.en).toBeTruthy();
        const asked = part['x-widget'];
        const lists =
          ['keyvalue', 'template', 'textarea'].includes(String(asked)) && field.types.includes('array');
        const byLanguage = asked === 'textarea' && field.types.includes('object');
        if (typeof asked === 'string')
          expect(field.widget).toBe(lists ? 'choices' : byLanguage ? 'keyvalue' : asked);
        for (const option of field.options)
          if (field.options.length > 1) expect(option.title.zh).toBeTruthy();
      });
    },
  );

  it.each(TYPES)('$type: its example has no fault', ({ schema, example }) => {
    expect(faultsOf(example, schema)).toEqual([]);
  });

  it.each(TYPES)('$type: a new item of each list is whole', ({ schema }) => {
    for (const { name, schema: part } of fieldsOf(schema)) {
      const field = readField(part, defsOf(schema), name);
      if (!field.items) continue;
      const item = blankOf(field.items, defsOf(schema));
      const below = readField(field.items, defsOf(schema), '');
      for (const one of below.properties)
        if (one.required) expect(Object.keys(item as object)).toContain(one.name);
    }
  });
});

const menu = TYPES.find((one) => one.type === 'voice.menu')!;
const wait = TYPES.find((one) => one.type === 'logic.wait')!;

describe('faults', () => {
  const places = (config: unknown, schema: Schema) => faultsOf(config, schema).map((fault) => fault.path);

  it('stand at their place', () => {
    const config = {
      ...menu.example,
      tries: 99,
      timeout: 60,
      choices: [{ key: '1' }, { key: '1' }, { key: 'x' }, { label: 'no key' }],
    };
    expect(places(config, menu.schema)).toEqual([
      'choices.1.key',
      'choices.2.key',
      'choices.3.key',
      'tries',
      'timeout',
    ]);
    expect(places({ ...menu.example, choices: [] }, menu.schema)).toEqual(['choices']);
  });

  it('say the range in both languages', () => {
    const [fault] = faultsOf({ ...menu.example, tries: 0 }, menu.schema);
    expect(fault?.message).toEqual({ zh: '应在 1 到 9 之间', en: 'It must be from 1 to 9' });
  });

  it('do not judge what is computed in a call', () => {
    const dial = TYPES.find((one) => one.type === 'voice.dial')!;
    expect(places({ number: '' }, dial.schema)).toEqual(['number']);
    expect(places({ number: '{{ vars.number }}' }, dial.schema)).toEqual([]);
    const repeat = TYPES.find((one) => one.type === 'logic.repeat')!;
    expect(places({ times: 'vars.times' }, repeat.schema)).toEqual([]);
  });

  it('leave alone what is not shown', () => {
    expect(places({ until: 'seconds', time_of_day: 'noon' }, wait.schema)).toEqual([]);
    expect(places({ until: 'time', time_of_day: 'noon' }, wait.schema)).toEqual(['time_of_day']);
  });
});

describe('fields that depend on others', () => {
  it('are shown by the value or the default beside them', () => {
    const field = readField((wait.schema.properties as Record<string, Schema>).seconds!, {}, 'seconds');
    const byDefault = () => 'seconds';
    expect(isShown(field, {}, byDefault)).toBe(true);
    expect(isShown(field, { until: 'time' }, byDefault)).toBe(false);
  });
});

describe('the nodes of strangers', () => {
  it('get a widget by the type alone', () => {
    const schema: Schema = {
      type: 'object',
      $defs: {
        Cat: { type: 'object', properties: { kind: { const: 'cat' }, lives: { type: 'integer' } } },
        Dog: { type: 'object', properties: { kind: { const: 'dog' }, name: { type: 'string' } } },
      },
      properties: {
        plain: { type: 'string' },
        long: { type: 'string', maxLength: 5000 },
        maybe: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
        flag: { type: 'boolean', 'x-widget': 'hologram' },
        either: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
        pet: {
          oneOf: [{ $ref: '#/$defs/Cat' }, { $ref: '#/$defs/Dog' }],
          discriminator: { propertyName: 'kind' },
        },
        pets: { type: 'array', items: { $ref: '#/$defs/Cat' } },
        names: { type: 'object', additionalProperties: { type: 'string' } },
        anything: {},
        wrong: { type: 'integer', 'x-widget': 'prompt' },
        colour: { enum: ['red', 'green'] },
        sub: { $ref: '#/$defs/Dog' },
      },
    };
    const found = Object.fromEntries(
      fieldsOf(schema).map(({ name, schema: part }) => [name, readField(part, defsOf(schema), name).widget]),
    );
    expect(found).toEqual({
      plain: 'text',
      long: 'textarea',
      maybe: 'number',
      flag: 'switch',
      either: 'json',
      pet: 'union',
      pets: 'choices',
      names: 'keyvalue',
      anything: 'json',
      wrong: 'number',
      colour: 'select',
      sub: 'object',
    });
    expect(blankOf(fieldsOf(schema)[5]!.schema, defsOf(schema))).toEqual({ kind: 'cat' });
    expect(readField({ type: 'string' }, {}, 'ring_seconds').title.en).toBe('Ring seconds');
  });

  it('may hold patterns of another dialect', () => {
    const schema: Schema = { type: 'object', properties: { x: { type: 'string', pattern: '(?P<a>x' } } };
    expect(faultsOf({ x: 'y' }, schema)).toEqual([]);
  });
});

describe('places', () => {
  it('change without touching the rest', () => {
    const config = { a: [{ b: 1 }, { b: 2 }], c: { d: 3 } };
    const next = withValue(config, ['a', 1, 'b'], 5) as typeof config;
    expect(next).toEqual({ a: [{ b: 1 }, { b: 5 }], c: { d: 3 } });
    expect(next.a[0]).toBe(config.a[0]);
    expect(next.c).toBe(config.c);
    expect(withValue(config, ['a', 0], undefined)).toEqual({ a: [{ b: 2 }], c: { d: 3 } });
    expect(withValue({}, ['x', 0, 'y'], 1)).toEqual({ x: [{ y: 1 }] });
    expect(valueAt(config, ['a', 1, 'b'])).toBe(2);
  });

  it('move and compare', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
    expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
    expect(same({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
    expect(same({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  });
});
