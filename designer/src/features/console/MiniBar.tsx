/** The call while another page than the console is open. */
import { Button } from 'antd';
import { PhoneOff } from 'lucide-react';
import { Link } from 'react-router';
import { useWords } from '@/i18n';
import { Duration, Phone } from '@/ui';
import { type Focus, standOf } from './desk';
import { useCallActions } from './useCallActions';
import { consoleWords } from './words';

export function MiniBar({ focus }: { focus: Focus }) {
  const t = useWords(consoleWords);
  const actions = useCallActions();
  if (focus.phase === 'ringing') return null;
  const told = focus.own?.name ?? '';
  const name = told === focus.number ? '' : told;
  const held = focus.own && standOf(focus.own) === 'held';
  return (
    <section className="cw-mini" aria-label={t('callBar')}>
      <Link to="/console">
        {name || <Phone number={focus.number} />} {focus.own && <Duration since={focus.own.since} />}
      </Link>
      <span className="cw-quiet">
        {focus.phase === 'wrap_up' ? t('wrap_up') : held ? t('state_held') : t('talking')}
      </span>
      {focus.own && (
        <Button
          size="small"
          danger
          icon={<PhoneOff size={14} aria-hidden />}
          onClick={() => void actions.leave(focus.own)}
        >
          {t('hangUp')}
        </Button>
      )}
    </section>
  );
}
