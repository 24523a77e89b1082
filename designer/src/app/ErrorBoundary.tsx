import { Button } from 'antd';
import { TriangleAlert } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { useWords } from '@/i18n';
import { common } from '@/i18n/common';
import { PageState } from '@/ui';

/** Keeps a fault in one place from taking the rest of the app with it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return <Fault error={error} again={() => this.setState({ error: null })} />;
  }
}

function Fault({ error, again }: { error: Error; again: () => void }) {
  const c = useWords(common);
  return (
    <PageState
      icon={TriangleAlert}
      tone="bad"
      title={c('pageFailed')}
      help={
        <>
          {c('pageFailedHelp')}
          <br />
          <code>{error.message}</code>
        </>
      }
    >
      <Button type="primary" onClick={again}>
        {c('retry')}
      </Button>
      <Button onClick={() => location.reload()}>{c('reload')}</Button>
    </PageState>
  );
}
