/** Which nodes make sense at a place, the likely ones first. Pure. */
import type { NodeTypeInfo } from './catalogue';
import type { FlowDoc } from './model';
import { ERROR, HANGUP, START } from './wires';

const LIKELY: Record<string, string[]> = {
  [START]: ['voice.answer', 'logic.hours', 'logic.list', 'voice.say'],
  [HANGUP]: ['logic.set', 'messaging.sms', 'messaging.mail', 'web.http', 'logic.end'],
  [ERROR]: ['voice.say', 'messaging.mail', 'voice.hangup', 'logic.end'],
  'voice.answer': ['voice.say', 'voice.menu', 'logic.hours', 'voice.language'],
  'voice.say': ['voice.menu', 'voice.collect', 'voice.hangup', 'voice.dial', 'voice.say'],
  'voice.menu': ['voice.say', 'voice.menu', 'voice.collect', 'voice.dial', 'voice.record'],
  'voice.collect': ['customer.verify_pin', 'customer.find', 'web.query', 'logic.branch', 'web.http'],
  'logic.hours': ['voice.menu', 'voice.say'],
  'logic.branch': ['voice.say', 'voice.menu'],
};
const USUAL = ['voice.say', 'voice.menu', 'voice.collect', 'logic.branch', 'voice.dial', 'voice.hangup'];
const OVER = ['voice.say', 'logic.repeat', 'voice.hangup', 'voice.dial', 'logic.end'];

/** Whether a node needs somebody on the line. */
function needsCall(type: NodeTypeInfo): boolean {
  return type.runs === 'on_call' || type.runs === 'call_short';
}

export function ranked(
  types: readonly NodeTypeInfo[],
  doc: FlowDoc,
  from: { node?: string; from?: string; port: string } | undefined,
  between: boolean,
): NodeTypeInfo[] {
  const node = from?.node ?? from?.from;
  const gone = from?.port === 'hangup' || node === HANGUP;
  const likely =
    from === undefined
      ? USUAL
      : gone
        ? LIKELY[HANGUP]!
        : ['error', 'timeout', 'invalid', 'no_match', 'silence'].includes(from.port)
          ? OVER
          : ((node?.startsWith('@') ? LIKELY[node] : LIKELY[doc.nodes[node ?? '']?.type ?? '']) ?? USUAL);
  const place = (type: NodeTypeInfo) => {
    const at = likely.indexOf(type.type);
    return at < 0 ? likely.length : at;
  };
  return types
    .filter((type) => type.kinds.length === 0 || type.kinds.includes(doc.kind))
    .filter((type) => !(gone && needsCall(type)))
    .filter((type) => !(between && type.terminal))
    .map((type, index) => ({ type, index }))
    .sort((a, b) => place(a.type) - place(b.type) || a.index - b.index)
    .map((one) => one.type);
}
