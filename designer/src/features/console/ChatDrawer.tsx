/** Messages between agents: to a person, a team, everybody. */
import { Badge, Button, Drawer, Input, Select } from 'antd';
import { Send } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useQuery, useSubscription } from 'urql';
import { useSession } from '@/app/session';
import { graphql } from '@/gql';
import { useChange, wordsOf } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { EmptyState, Time } from '@/ui';
import { CHANNELS, HOUSE_NEWS, MARK_READ, MESSAGES, SEND_MESSAGE } from './operations';
import { consoleWords } from './words';

const PEOPLE = graphql(`
  query ChatPeople {
    colleagues { id name }
  }
`);

export function ChatDrawer({
  open,
  close,
  onError,
}: {
  open: boolean;
  close: () => void;
  onError: (words: string) => void;
}) {
  const t = useWords(consoleWords);
  return (
    <Drawer open={open} onClose={close} title={t('messages')} size={420} destroyOnHidden>
      <Chat onError={onError} />
    </Drawer>
  );
}

function Chat({ onError }: { onError: (words: string) => void }) {
  const t = useWords(consoleWords);
  const { person } = useSession();
  const [channels, again] = useQuery({ query: CHANNELS, requestPolicy: 'cache-and-network' });
  const [people] = useQuery({ query: PEOPLE });
  const [channel, setChannel] = useState('all');
  const [to, setTo] = useState<string | null>(null);
  const [messages, reload] = useQuery({
    query: MESSAGES,
    variables: { channel },
    pause: !channel,
    requestPolicy: 'cache-and-network',
  });
  const [send, sending] = useChange(SEND_MESSAGE);
  const [mark] = useChange(MARK_READ);
  const [typed, setTyped] = useState('');
  const list = useRef<HTMLOListElement>(null);
  useSubscription({ query: HOUSE_NEWS }, (_, news) => {
    reload({ requestPolicy: 'network-only' });
    again({ requestPolicy: 'network-only' });
    return news;
  });
  const shown = [...(messages.data?.chatMessages.nodes ?? [])].reverse();
  const newest = shown.at(-1)?.id;
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
    if (newest && channel) void mark({ channel }, { quiet: true });
  }, [newest, channel, mark]);

  const write = async () => {
    const words = typed.trim();
    if (!words) return;
    const answer = await send(
      { text: words, to, channel: to ? '' : channel, urgent: false },
      { quiet: true },
    );
    if (!answer.value) return onError(answer.errors.map(wordsOf).join(' '));
    setTyped('');
    if (to) {
      setChannel(answer.value.channel);
      setTo(null);
    }
    reload({ requestPolicy: 'network-only' });
    again({ requestPolicy: 'network-only' });
  };
  const known = channels.data?.chatChannels ?? [];
  const options = [
    { value: 'all', label: t('everybody') },
    ...known
      .filter((one) => one.name !== 'all')
      .map((one) => ({
        value: one.name,
        label: (
          <span>
            {one.other?.name ?? one.name.replace(/^team:/, '')} <Badge count={one.unread} size="small" />
          </span>
        ),
      })),
    ...(people.data?.colleagues ?? [])
      .filter((one) => one.id !== person.id && !known.some((channel) => channel.other?.id === one.id))
      .map((one) => ({ value: `new:${one.id}`, label: one.name })),
  ];
  return (
    <div className="cw-chat">
      <Select
        value={to ? `new:${to}` : channel}
        aria-label={t('messages')}
        options={options}
        onChange={(value: string) => {
          if (value.startsWith('new:')) {
            setTo(value.slice(4));
            setChannel('');
          } else {
            setTo(null);
            setChannel(value);
          }
        }}
      />
      {shown.length === 0 && <EmptyState title={t('noMessages')} />}
      <ol ref={list} aria-live="polite">
        {channel &&
          shown.map((one) => (
            <li key={one.id} data-mine={one.sender?.id === person.id} data-urgent={one.urgent}>
              <span className="cw-quiet">
                {one.sender?.name} <Time at={one.sentAt} />
              </span>
              <p>{one.text}</p>
            </li>
          ))}
      </ol>
      <div className="cw-chat-write">
        <Input.TextArea
          autoSize={{ minRows: 1, maxRows: 5 }}
          value={typed}
          placeholder={t('write')}
          aria-label={t('write')}
          onChange={(event) => setTyped(event.target.value)}
          onPressEnter={(event) => {
            if (event.shiftKey) return;
            event.preventDefault();
            void write();
          }}
        />
        <Button
          type="primary"
          aria-label={t('send')}
          loading={sending}
          disabled={!typed.trim()}
          icon={<Send size={16} />}
          onClick={() => void write()}
        />
      </div>
    </div>
  );
}
