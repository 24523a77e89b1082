/** All customers: searched, filtered by level, opened beside the list. */
import { Button, Drawer, Select } from 'antd';
import { Contact, Plus } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { useMay } from '@/app/session';
import { graphql } from '@/gql';
import type { CustomerListQuery } from '@/gql/graphql';
import { useText, useWords } from '@/i18n';
import { EmptyState, PageHeader, Phone, Time } from '@/ui';
import { useFilters } from '@/ui/filters';
import { Failure, FilterBar, LevelTag, LoadMore, SearchBox } from '@/ui/lists';
import { usePages } from '@/ui/paging';
import { ListTable } from '@/ui/table';
import { CustomerCard, NewCustomer } from '../console/CustomerPane';
import { customerWords } from './words';

const LIST = graphql(`
  query CustomerList($after: String, $search: String!, $level: String) {
    customers(first: 50, after: $after, search: $search, level: $level) {
      nodes { id name card level createdAt numbers { number region { place { zh en } } } }
      endCursor hasNext
    }
    customerLevels { key label { zh en } vip }
  }
`);

type Row = CustomerListQuery['customers']['nodes'][number];
const KEYS = ['search', 'level', 'open'] as const;
const PASSING = ['open'] as const;

export default function CustomersPage() {
  const w = useWords(customerWords);
  const text = useText();
  const mayEdit = useMay('customers.edit');
  const [filters, setFilters] = useFilters('customers', KEYS, PASSING);
  const [typed, setTyped] = useState(filters.search);
  const [creating, setCreating] = useState(false);
  useEffect(() => {
    if (typed === filters.search) return;
    const timer = setTimeout(() => setFilters({ search: typed }), 300);
    return () => clearTimeout(timer);
  }, [typed, filters.search, setFilters]);
  const variables = useMemo(
    () => ({ search: filters.search, level: filters.level || null }),
    [filters.search, filters.level],
  );
  const pages = usePages(LIST, variables, (data) => data.customers);
  const rows = pages.rows ?? [];
  const levels = pages.data?.customerLevels ?? [];
  const add = mayEdit && (
    <Button type="primary" icon={<Plus size={14} aria-hidden />} onClick={() => setCreating(true)}>
      {w('newCustomer')}
    </Button>
  );
  const filtered = filters.search !== '' || filters.level !== '';
  return (
    <>
      <PageHeader title={w('title')} help={w('help')}>
        {add}
      </PageHeader>
      <Failure error={pages.error} retry={pages.reload} />
      <FilterBar>
        <SearchBox value={typed} onChange={setTyped} label={w('search')} width={280} />
        <Select
          style={{ minWidth: 140 }}
          value={filters.level}
          aria-label={w('level')}
          onChange={(level) => setFilters({ level })}
          options={[
            { value: '', label: w('allLevels') },
            ...levels.map((one) => ({ value: one.key, label: text(one.label) })),
          ]}
        />
      </FilterBar>
      {pages.rows?.length === 0 ? (
        <EmptyState
          icon={<Contact size={32} aria-hidden />}
          title={filtered ? w('noneFound') : w('none')}
          help={filtered ? undefined : w('noneHelp')}
          action={filtered ? undefined : add}
        />
      ) : (
        <ListTable<Row>
          rowKey="id"
          size="middle"
          loading={!pages.rows && !pages.error}
          dataSource={rows}
          pagination={false}
          columns={[
            {
              title: w('name'),
              render: (_, one) => (
                <button type="button" className="cw-link" onClick={() => setFilters({ open: one.id })}>
                  {one.name || w('unnamed')}
                </button>
              ),
            },
            {
              title: w('level'),
              render: (_, one) => {
                const level = levels.find((known) => known.key === one.level);
                const name = text(level?.label) || one.level;
                return name ? <LevelTag vip={level?.vip ?? false}>{name}</LevelTag> : '–';
              },
            },
            {
              title: w('numbers'),
              render: (_, one) => (
                <span className="cw-numbers">
                  {one.numbers.length === 0 && '–'}
                  {one.numbers.map((phone) => (
                    <Phone key={phone.number} number={phone.number} region={phone.region?.place} />
                  ))}
                </span>
              ),
            },
            { title: w('card'), render: (_, one) => <span className="cw-num">{one.card || '–'}</span> },
            { title: w('created'), render: (_, one) => <Time at={one.createdAt} /> },
          ]}
        />
      )}
      <LoadMore pages={pages} />
      <Drawer
        open={filters.open !== '' || creating}
        title={creating ? w('newCustomer') : w('customer')}
        size={560}
        destroyOnHidden
        onClose={() => {
          setCreating(false);
          setFilters({ open: '' });
          pages.reload();
        }}
      >
        {creating ? (
          <NewCustomer
            saved={(id) => {
              setCreating(false);
              setFilters({ open: id });
            }}
          />
        ) : (
          filters.open && <CustomerCard id={filters.open} />
        )}
      </Drawer>
    </>
  );
}
