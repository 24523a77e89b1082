/** The audit trail: who did what, and whether the chain of rows holds. */
import { Alert, AutoComplete, Button } from 'antd';
import { ShieldCheck } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useClient } from 'urql';
import { graphql } from '@/gql';
import { useLanguage, useText, useWords } from '@/i18n';
import { PageHeader, Time, useWhoName } from '@/ui';
import { useFilters } from '@/ui/filters';
import { useLanguageNames } from '@/ui/languages';
import { Failure, FilterBar, LoadMore, SearchBox } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { ListTable } from '@/ui/table';
import { ACTIONS } from './actions';
import { Details, Entry, Subject } from './Details';
import { auditWords } from './words';

const LIST = graphql(`
  query AuditList($first: Int!, $after: String, $actor: String, $action: String) {
    audit(first: $first, after: $after, actor: $actor, action: $action) {
      nodes { seq at actor action subject details address hash }
      endCursor
      hasNext
    }
  }
`);
const CHECK = graphql(`
  query AuditChain {
    auditCheck { rows brokenAt }
  }
`);
const PAGE = 100;

export default function AuditPage() {
  const w = useWords(auditWords);
  const text = useText();
  const whoName = useWhoName();
  const language = useLanguage();
  const tongue = useLanguageNames();
  const teller = useMemo(() => ({ language, person: whoName, tongue }), [language, whoName, tongue]);
  const client = useClient();
  const [filters, setFilters] = useFilters('audit', ['actor', 'action'] as const);
  const [actor, setActor] = useState(filters.actor);
  useEffect(() => {
    if (actor === filters.actor) return;
    const timer = setTimeout(() => setFilters({ actor }), 300);
    return () => clearTimeout(timer);
  }, [actor, filters.actor, setFilters]);
  const variables = useMemo(
    () => ({ first: PAGE, actor: filters.actor || null, action: filters.action || null }),
    [filters],
  );
  const pages = usePages(LIST, variables, (data) => data.audit, { keyOf: (row) => row.seq });
  const rows = pages.rows ?? [];
  const [chain, setChain] = useState<{ rows: number; brokenAt?: number | null } | null>(null);
  const [checking, setChecking] = useState(false);
  const actions = [...new Set(rows.map((row) => row.action))].sort();

  const check = async () => {
    setChecking(true);
    const told = await client.query(CHECK, {}, { requestPolicy: 'network-only' }).toPromise();
    setChain(told.data?.auditCheck ?? null);
    setChecking(false);
  };
  return (
    <>
      <PageHeader title={w('title')} help={w('help')}>
        <Button icon={<ShieldCheck size={14} />} loading={checking} onClick={() => void check()}>
          {w('check')}
        </Button>
      </PageHeader>
      <Failure error={pages.error} retry={pages.reload} />
      {chain && (
        <Alert
          className="cw-form-error"
          showIcon
          role="status"
          closable
          type={chain.brokenAt ? 'error' : 'success'}
          title={chain.brokenAt ? w('broken', { row: chain.brokenAt }) : w('holds', { rows: chain.rows })}
        />
      )}
      <FilterBar>
        <SearchBox value={actor} onChange={setActor} label={w('who')} />
        <AutoComplete
          aria-label={w('action')}
          value={filters.action}
          allowClear
          style={{ width: 240 }}
          placeholder={w('anyAction')}
          options={actions.map((value) => ({
            value,
            label: ACTIONS[value] ? `${text(ACTIONS[value])} · ${value}` : value,
          }))}
          popupMatchSelectWidth={false}
          onChange={(action: string | undefined) => setFilters({ action: action ?? '' })}
        />
      </FilterBar>
      <ListTable
        rowKey="seq"
        size="small"
        tall
        loading={!pages.rows && !pages.error}
        dataSource={rows}
        pagination={false}
        expandable={{
          expandedRowRender: (row) => <Entry entry={row} teller={teller} />,
        }}
        locale={{ emptyText: filters.actor || filters.action ? w('noMatch') : w('none') }}
        columns={[
          { title: w('seq'), width: 64, align: 'right', dataIndex: 'seq' },
          { title: w('when'), width: 184, render: (_, row) => <Time at={row.at} exact /> },
          { title: w('who'), width: 120, render: (_, row) => <strong>{whoName(row.actor)}</strong> },
          {
            title: w('action'),
            width: 160,
            render: (_, row) => (
              <span className="cw-two-line">
                {ACTIONS[row.action] && <span>{text(ACTIONS[row.action])}</span>}
                <small className="cw-code">{row.action}</small>
              </span>
            ),
          },
          {
            title: w('subject'),
            width: 140,
            render: (_, row) => <Subject entry={row} teller={teller} />,
          },
          {
            title: w('details'),
            render: (_, row) => <Details details={row.details} teller={teller} most={3} />,
          },
          {
            title: w('from'),
            width: 112,
            render: (_, row) => <span className="cw-num">{row.address || '–'}</span>,
          },
        ]}
      />
      <LoadMore pages={pages} />
    </>
  );
}
