import { Button, Form, Input, InputNumber } from 'antd';
import { Plus, Trash2 } from 'lucide-react';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { queueWords } from './words';

/** Skills with levels, a row each. */
export function SkillFields({ name, label }: { name: string; label: string }) {
  const w = useWords(queueWords);
  const c = useWords(common);
  return (
    <Form.Item label={label} extra={w('skillsHelp')}>
      <Form.List name={name}>
        {(rows, { add, remove }) => (
          <div className="cw-skill-rows">
            {rows.map((row) => (
              <div key={row.key} className="cw-row">
                <Form.Item name={[row.name, 'skill']} noStyle>
                  <Input placeholder={w('skill')} aria-label={w('skill')} maxLength={40} />
                </Form.Item>
                <Form.Item name={[row.name, 'level']} noStyle initialValue={5}>
                  <InputNumber min={1} max={9} aria-label={w('level')} />
                </Form.Item>
                <Button
                  type="text"
                  aria-label={c('delete')}
                  icon={<Trash2 size={14} />}
                  onClick={() => remove(row.name)}
                />
              </div>
            ))}
            <Button
              size="small"
              icon={<Plus size={14} aria-hidden />}
              onClick={() => add({ skill: '', level: 5 })}
            >
              {w('addSkill')}
            </Button>
          </div>
        )}
      </Form.List>
    </Form.Item>
  );
}
