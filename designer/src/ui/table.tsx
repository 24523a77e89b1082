/** A list as a table. While it is read for the first time it stands there already, with a bar in each value's place. */
import { Table, type TableProps } from 'antd';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import './table.css';

/** Rows that stand for those that come. */
const COMING = 6;
/** Widths of the bars in per cent, so that they look like words. */
const WIDTHS = [62, 44, 76, 53, 68, 39];

export function ListTable<Row extends object>({
  loading,
  tall,
  className,
  ...props
}: Omit<TableProps<Row>, 'loading' | 'components'> & {
  /** It is read for the first time. */
  loading: boolean;
  /** Its rows have two lines. */
  tall?: boolean;
}) {
  const c = useWords(common);
  const named = className ? `cw-list ${className}` : 'cw-list';
  if (!loading) return <Table<Row> locale={{ emptyText: c('noMatch') }} {...props} className={named} />;
  const { columns, rowSelection, expandable, size, scroll } = props;
  return (
    <div aria-busy="true" role="status" aria-label={c('loading')}>
      <Table<{ at: number }>
        className={tall ? `${named} cw-coming tall` : `${named} cw-coming`}
        rowKey="at"
        size={size}
        scroll={scroll}
        pagination={false}
        dataSource={WIDTHS.slice(0, COMING).map((_, at) => ({ at }))}
        rowSelection={
          rowSelection && { selectedRowKeys: [], getCheckboxProps: () => ({ disabled: true, tabIndex: -1 }) }
        }
        expandable={
          expandable && { expandedRowRender: () => null, expandIcon: () => null, rowExpandable: () => false }
        }
        columns={columns?.map(({ title, width, align, key, fixed }, place) => ({
          title: typeof title === 'function' ? null : title,
          width,
          align,
          key: key ?? place,
          fixed,
          render: (_: unknown, { at }: { at: number }) => (
            <span className="cw-bone" style={{ width: `${WIDTHS[(at + place) % WIDTHS.length]}%` }} />
          ),
        }))}
      />
    </div>
  );
}
