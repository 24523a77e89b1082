/** What an entry of the trail says, in words: a few lines in the list, all of it with the record itself when opened. */
import { ArrowRight } from 'lucide-react';
import { Link } from 'react-router';
import { labelled, useText, useWords } from '@/i18n';
import './audit.css';
import { isId, type Line, linesOf, placeOf, type Teller, told, VALUES } from './details';
import { auditWords } from './words';

export interface AuditRow {
  action: string;
  subject: string;
  details?: unknown;
  hash: string;
}

export function Details({ details, teller, most }: { details: unknown; teller: Teller; most: number }) {
  const w = useWords(auditWords);
  const text = useText();
  const lines = linesOf(details);
  if (lines.length === 0) return <span className="cw-quiet">–</span>;
  return (
    <ul className="cw-deed">
      {lines.slice(0, most).map((line) => (
        <li key={line.field}>
          <span className="cw-quiet">{labelled(line.name ? text(line.name) : line.field)}</span>
          <Value line={line} teller={teller} />
        </li>
      ))}
      {lines.length > most && <li className="cw-quiet">{w('moreLines', { count: lines.length - most })}</li>}
    </ul>
  );
}

function Value({ line, teller }: { line: Line; teller: Teller }) {
  return (
    <span className="cw-deed-value">
      {line.changed && (
        <>
          <del>{told(line.field, line.was, teller)}</del>
          <ArrowRight size={12} role="img" aria-label="→" />
        </>
      )}
      <One line={line} teller={teller} />
    </span>
  );
}

function One({ line, teller }: { line: Line; teller: Teller }) {
  const w = useWords(auditWords);
  const { field, now } = line;
  if (field === 'call_id' && typeof now === 'string')
    return <Link to={`/calls/${now}`}>{w('openCall')}</Link>;
  if (field === 'customer' && typeof now === 'string')
    return <Link to={`/customers?open=${now}`}>{w('openCustomer')}</Link>;
  const words = told(field, now, teller);
  if (isId(words)) return <Short id={words} />;
  return <span>{words}</span>;
}

/** An identity that nobody reads: its end tells things apart, all of it shows on hover. */
function Short({ id }: { id: string }) {
  return (
    <code className="cw-code cw-quiet" title={id}>
      …{id.slice(-8)}
    </code>
  );
}

/** What a deed was done to. */
export function Subject({ entry, teller }: { entry: AuditRow; teller: Teller }) {
  const w = useWords(auditWords);
  const text = useText();
  const { action, subject } = entry;
  const place = placeOf(action, subject);
  if (place) return <Link to={place}>{place.startsWith('/calls') ? w('openCall') : w('openCustomer')}</Link>;
  const called = teller.person(subject);
  if (isId(called)) return <Short id={called} />;
  if (action === 'outbound_rule.saved' && VALUES.number_class?.[subject])
    return <span>{text(VALUES.number_class[subject])}</span>;
  return <span className="cw-break">{called || '–'}</span>;
}

/** An entry that was opened: every field, and the record as it stands in the chain. */
export function Entry({ entry, teller }: { entry: AuditRow; teller: Teller }) {
  const w = useWords(auditWords);
  const text = useText();
  const lines = linesOf(entry.details);
  const changes = lines.some((line) => line.changed);
  return (
    <div className="cw-entry">
      {lines.length === 0 ? (
        <p className="cw-quiet">{w('noDetails')}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{w('field')}</th>
              {changes && <th scope="col">{w('was')}</th>}
              <th scope="col">{changes ? w('now') : w('given')}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.field}>
                <th scope="row">{line.name ? text(line.name) : line.field}</th>
                {changes && (
                  <td className="cw-quiet">{line.changed ? told(line.field, line.was, teller) : '–'}</td>
                )}
                <td>
                  <One line={line} teller={teller} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <dl>
        <dt>{w('recorded')}</dt>
        <dd className="cw-code">
          {entry.action} {entry.subject} {JSON.stringify(entry.details)}
        </dd>
        <dt>{w('hash')}</dt>
        <dd className="cw-code">{entry.hash}</dd>
      </dl>
    </div>
  );
}
