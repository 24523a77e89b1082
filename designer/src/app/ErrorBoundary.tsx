import { Button, Result } from 'antd';
import { Component, type ReactNode } from 'react';
import { say } from '@/i18n';
import { common } from '@/i18n/common';

/** Keeps a fault in one place from taking the rest of the app with it. */
export class ErrorBoundary extends Component<
  { children: ReactNode; compact?: boolean },
  { error: Error | null }
> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <Result
        status="error"
        title={say(common, 'pageFailed')}
        subTitle={`${say(common, 'pageFailedHelp')} (${this.state.error.message})`}
        extra={[
          <Button key="again" type="primary" onClick={() => this.setState({ error: null })}>
            {say(common, 'retry')}
          </Button>,
          <Button key="reload" onClick={() => location.reload()}>
            {say(common, 'reload')}
          </Button>,
        ]}
      />
    );
  }
}
