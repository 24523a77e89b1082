/** Messages between agents: to a person, a team, everybody. */
import { Badge, Button, Drawer, Input, Select } from 'antd';
import { Send } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useQuery, useSubscription } from 'urql';
import { useMay, useSession } from '@/app/session';
import { graphql } from '@/gql';
import { useChange, wordsOf } from '@/graphql/useChange';
import { useWords } from '@/i18n';
import { EmptyState, StateTag, Time } from '@/ui';
import { CHANNELS, HOUSE_NEWS, MARK_READ, MESSAGES, SEND_MESSAGE } from './operations';
import { consoleWords } from './words';

const PEOPLE = graphql(`
  query ChatPeople {
    colleagues { id name }
  }
`);
const TEAMS = graphql(`
  query ChatTeams {
    teams { key name }
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
  const [teams] = useQuery({ query: TEAMS, pause: !useMay('agent.work') });
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
  const nameOf = (channel: (typeof known)[number]) => {
    const team = channel.name.replace(/^team:/, '');
    return channel.other?.name ?? teams.data?.teams.find((one) => one.key === team)?.name ?? team;
  };
  const option = (value: string, name: string, unread = 0) => ({
    value,
    search: name,
    label: (
      <span className="cw-chat-option">
        {name} <Badge count={unread} size="small" />
      </span>
    ),
  });
  const options = [
    {
      label: t('conversations'),
      options: [
        option('all', t('everybody'), known.find((one) => one.name === 'all')?.unread),
        ...known.filter((one) => one.other).map((one) => option(one.name, nameOf(one), one.unread)),
      ],
    },
    {
      label: t('teams'),
      options: known
        .filter((one) => one.name.startsWith('team:'))
        .map((one) => option(one.name, nameOf(one), one.unread)),
    },
    {
      label: t('people'),
      options: (people.data?.colleagues ?? [])
        .filter((one) => one.id !== person.id && !known.some((channel) => channel.other?.id === one.id))
        .map((one) => option(`new:${one.id}`, one.name)),
    },
  ].filter((group) => group.options.length > 0);
  return (
    <div className="cw-chat">
      <Select
        value={to ? `new:${to}` : channel}
        aria-label={t('messages')}
        options={options}
        showSearch={{ optionFilterProp: 'search' }}
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
                {one.urgent && <StateTag tone="bad">{t('urgent')}</StateTag>} {one.sender?.name}{' '}
                <Time at={one.sentAt} />
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
