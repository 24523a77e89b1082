/** The node reference, made from the nodes themselves. */
import { Spin } from 'antd';
import { useMemo } from 'react';
import { useQuery } from 'urql';
import { graphql } from '@/gql';
import { type Language, labelled, listed, useLanguage, useText, useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { EmptyState, PageHeader } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Card, Failure, FilterBar, SearchBox } from '@/ui/lists';
import '../calendars/calendars.css';
import { useKind } from '../calls/marks';
import { type NodeTypeInfo, readCatalogue } from '../flows/editor/catalogue';
import { NodeIcon } from '../flows/editor/icons';
import { defsOf, type Field, fieldsOf, readField, type Schema } from '../flows/editor/widgets/schema';
import './reference.css';
import { referenceWords } from './words';

const NODE_TYPES = graphql(`
  query ReferenceNodes {
    nodeTypes { type version family definition }
  }
`);

interface Output {
  name: string;
  type: string;
  title: { zh: string; en: string };
}
const FAMILIES = ['voice', 'logic', 'queue', 'customer', 'ticket', 'messaging', 'campaign', 'web'] as const;

function fieldsFor(node: NodeTypeInfo) {
  const schema = (node.definition.schema ?? {}) as Schema;
  const defs = defsOf(schema);
  return fieldsOf(schema).map((one) => ({ ...one, field: readField(one.schema, defs, one.name) }));
}

/** Everything that a search may find a node by. */
export function saidOf(node: NodeTypeInfo): string {
  const fields = fieldsFor(node).flatMap(({ name, field }) => [name, field.title.zh, field.title.en]);
  return [node.type, node.title.zh, node.title.en, node.help.zh, node.help.en, ...fields]
    .join(' ')
    .toLowerCase();
}

export default function ReferencePage() {
  const w = useWords(referenceWords);
  const text = useText();
  const [filters, setFilters] = useFilters('reference', ['search', 'node'] as const);
  const [answer, ask] = useQuery({ query: NODE_TYPES });
  const catalogue = useMemo(() => readCatalogue(answer.data?.nodeTypes ?? []), [answer.data]);
  const wanted = filters.search.trim().toLowerCase();
  const families = useMemo(
    () =>
      catalogue.families
        .map(({ family, types }) => ({
          family,
          types: wanted ? types.filter((node) => saidOf(node).includes(wanted)) : types,
        }))
        .filter(({ types }) => types.length > 0),
    [catalogue, wanted],
  );
  const found = families.flatMap(({ types }) => types);
  const shown = found.find((node) => node.type === filters.node) ?? found[0];
  const familyName = (family: string) => {
    const known = FAMILIES.find((one) => one === family);
    return known ? w(`family_${known}`) : family;
  };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')} />
      <Failure error={answer.error} retry={() => ask({ requestPolicy: 'network-only' })} />
      <FilterBar>
        <SearchBox
          value={filters.search}
          onChange={(search) => setFilters({ search })}
          label={w('search')}
          width={280}
        />
      </FilterBar>
      {!answer.data ? (
        !answer.error && <Spin className="cw-page-spin" delay={200} />
      ) : !shown ? (
        <EmptyState title={w('nothing')} />
      ) : (
        <div className="cw-calendars">
          <nav className="cw-side-list cw-nodes" aria-label={w('title')}>
            {families.map(({ family, types }) => (
              <div key={family}>
                <h2>{familyName(family)}</h2>
                {types.map((node) => (
                  <button
                    key={node.type}
                    type="button"
                    aria-current={node === shown || undefined}
                    onClick={() => setFilters({ node: node.type })}
                  >
                    <NodeIcon name={node.icon} size={14} />
                    {text(node.title)}
                  </button>
                ))}
              </div>
            ))}
          </nav>
          <NodePage key={shown.type} node={shown} />
        </div>
      )}
    </>
  );
}

const TYPES = ['string', 'integer', 'number', 'boolean', 'object', 'array', 'list', 'any', 'null'] as const;

/** A default as one reads it: of a prompt its words, of all else the JSON. */
export function defaultText(value: unknown, language: Language): string {
  const parts = (value as { parts?: unknown } | null)?.parts;
  if (!Array.isArray(parts)) return JSON.stringify(value);
  const said = parts.map((part: { text?: Partial<Record<Language, string>> }) => part.text?.[language]);
  return said.length > 0 && said.every(Boolean) ? said.join(' ') : JSON.stringify(value);
}

function NodePage({ node }: { node: NodeTypeInfo }) {
  const w = useWords(referenceWords);
  const c = useWords(common);
  const text = useText();
  const language = useLanguage();
  const kindOf = useKind();
  const typeName = (type: string) => {
    const known = TYPES.find((one) => one === type);
    return known ? w(`type_${known}`) : type;
  };
  const fields = useMemo(() => fieldsFor(node), [node]);
  const readable = ({ default: value, options, widget }: Field) => {
    const option = options.find((one) => one.value === value);
    if (option) return text(option.title);
    if (typeof value === 'boolean') return c(value ? 'yes' : 'no');
    return (
      <span className={widget === 'prompt' ? undefined : 'cw-code'}>{defaultText(value, language)}</span>
    );
  };
  const outputs = (node.definition.outputs ?? []) as Output[];
  return (
    <Card className="cw-node-page">
      <div className="cw-node-title">
        <NodeIcon name={node.icon} size={20} />
        <h2>{text(node.title)}</h2>
        <span className="cw-code cw-quiet">{node.type}</span>
      </div>
      <p>{text(node.help)}</p>
      <p className="cw-quiet">{labelled(w('kinds'), listed(node.kinds.map(kindOf)))}</p>
      <h3>{w('ports')}</h3>
      {node.ports.length === 0 ? (
        <p className="cw-quiet">{node.terminal ? w('terminal') : w('none')}</p>
      ) : (
        <ul className="cw-node-ports">
          {node.ports.map((port) => (
            <li key={port.name}>
              <span className="cw-node-port">→ {port.name}</span> {text(port.title)}
            </li>
          ))}
        </ul>
      )}
      <h3>{w('settings')}</h3>
      {fields.length === 0 ? (
        <p className="cw-quiet">{w('none')}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{w('field')}</th>
              <th scope="col">{w('type')}</th>
              <th scope="col">{w('default')}</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, required, field }) => (
              <tr key={name}>
                <td>
                  <strong>{text(field.title)}</strong> <span className="cw-code cw-quiet">{name}</span>
                  <div className="cw-quiet">{text(field.help)}</div>
                </td>
                <td>
                  {field.options.length > 0
                    ? field.options.map((option) => text(option.title)).join(' · ')
                    : field.widget === 'prompt'
                      ? w('type_prompt')
                      : field.types.map(typeName).join(' | ') || field.widget}
                  <div className="cw-quiet">
                    {[
                      field.expression && w('expression'),
                      field.template && w('template'),
                      field.secret && w('secret'),
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </div>
                </td>
                <td>{required ? w('required') : field.hasDefault ? readable(field) : '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <h3>{w('outputs')}</h3>
      {outputs.length === 0 ? (
        <p className="cw-quiet">{w('none')}</p>
      ) : (
        <table>
          <tbody>
            {outputs.map((output) => (
              <tr key={output.name}>
                <td className="cw-code">nodes.&lt;id&gt;.{output.name}</td>
                <td>{text(output.title)}</td>
                <td className="cw-quiet">{typeName(output.type)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {fields.length > 0 && (
        <>
          <h3>{w('example')}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard */}
          <pre className="cw-code cw-sql" tabIndex={0}>
            {JSON.stringify(node.example, null, 2)}
          </pre>
        </>
      )}
    </Card>
  );
}
