/** A call that rings: big, over every page, answered by Enter; the cursor stays where it is. */
import { Button } from 'antd';
import { Phone, PhoneOff } from 'lucide-react';
import { useQuery } from 'urql';
import { useLanguage, useText, useWords } from '@/i18n';
import { duration, groupedPhone } from '@/ui';
import { type Focus, lineOf, useDesk } from './desk';
import { CUSTOMER_BY_NUMBER } from './operations';
import { useCallActions } from './useCallActions';
import { useColleague } from './useColleague';
import { consoleWords } from './words';

export function RingCard({ focus }: { focus: Focus }) {
  const t = useWords(consoleWords);
  const text = useText();
  const language = useLanguage();
  const agent = useDesk((now) => now.agent);
  const line = useDesk((now) => now.line);
  const actions = useCallActions();
  const [answer] = useQuery({
    query: CUSTOMER_BY_NUMBER,
    variables: { number: focus.number },
    pause: !focus.number,
  });
  const offer = agent?.call?.callId === focus.callId ? agent.call : null;
  const ours = lineOf(line, focus.callId);
  const here = ours?.state === 'incoming';
  const told = offer?.customerName || answer.data?.customerByNumber?.name || focus.own?.name || '';
  const colleague = useColleague(focus.number);
  const who = (told === focus.number ? '' : told) || colleague;
  const from = focus.own?.parties.find((party) => party.role === 'agent' && !party.mine);
  const handedOn = offer?.transferred || focus.own?.role === 'third';
  const region = offer?.region ?? answer.data?.numberRegion?.place;
  return (
    <section
      className="cw-ring"
      role="alertdialog"
      aria-live="assertive"
      aria-label={t('callFrom', { who: who || focus.number })}
    >
      <div className="cw-ring-who">
        <span>
          <strong>{who || t('unknown')}</strong>
          {offer?.vip && <span className="cw-ring-vip">VIP</span>}
        </span>
        <span>
          <span className="cw-num cw-ring-number">{groupedPhone(focus.number) || t('masked')}</span>
          {region && <span className="cw-quiet">{text(region)}</span>}
        </span>
        <span className="cw-quiet">
          {offer?.queue && t('queueLabel', { queue: text(offer.queueLabel) || offer.queue })}
          {offer &&
            offer.waitedSeconds > 0 &&
            ` · ${t('waited', { time: duration(offer.waitedSeconds, language) })}`}
          {offer?.called && ` · ${t('calledNumber', { number: groupedPhone(offer.called) })}`}
        </span>
        {handedOn && <span>{from?.name ? t('handedOnBy', { who: from.name }) : t('handedOn')}</span>}
        {offer?.kind === 'callback' && <span>{t('callback_offer')}</span>}
      </div>
      <div className="cw-ring-buttons">
        {here ? (
          <Button
            type="primary"
            size="large"
            className="cw-answer"
            icon={<Phone size={18} aria-hidden />}
            onClick={() => void actions.answer(focus.own)}
          >
            {t('answer')} <kbd>Enter</kbd>
          </Button>
        ) : (
          <span className="cw-ring-pick">{t('pickUp')}</span>
        )}
        <Button
          size="large"
          danger
          icon={<PhoneOff size={18} aria-hidden />}
          disabled={!here && !focus.own}
          onClick={() => void actions.leave(focus.own)}
        >
          {t('reject')}
        </Button>
      </div>
    </section>
  );
}
