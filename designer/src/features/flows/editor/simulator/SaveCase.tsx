import { App, Form, Input, Modal } from 'antd';
import { graphql } from '@/gql';
import { useChange } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { useEditor } from '../store';
import { simulatorWords } from './words';

const SAVE = graphql(`
  mutation SaveSimulationAsCase($id: String!, $name: String!, $description: String!, $key: String) {
    saveSimulationAsCase(id: $id, name: $name, description: $description, key: $key) {
      value { id name case passed ranAt }
      errors { ...Refusal }
    }
  }
`);

/** Keep what was done in a simulated call as a test case. */
export function SaveCase({ id, close }: { id: string; close: () => void }) {
  const t = useWords(simulatorWords);
  const c = useWords(common);
  const { message } = App.useApp();
  const key = useEditor((state) => state.key);
  const [form] = Form.useForm<{ name: string; description?: string }>();
  const [save, busy] = useChange(SAVE);
  return (
    <Modal
      open
      title={t('saveCase')}
      onCancel={close}
      okText={c('save')}
      cancelText={c('cancel')}
      confirmLoading={busy}
      onOk={async () => {
        const given = await form.validateFields();
        const answer = await save({ id, key, name: given.name, description: given.description ?? '' });
        if (!answer.value) return;
        void message.success(t('caseSaved'));
        close();
      }}
    >
      <Form form={form} layout="vertical" requiredMark={false}>
        <Form.Item
          name="name"
          label={t('caseName')}
          extra={t('caseNameHint')}
          rules={[{ required: true, whitespace: true, message: c('required') }]}
        >
          <Input autoFocus maxLength={200} />
        </Form.Item>
        <Form.Item name="description" label={t('caseDescription')}>
          <Input.TextArea rows={2} />
        </Form.Item>
      </Form>
    </Modal>
  );
}
