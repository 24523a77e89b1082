/** What an agent does with a call: at the browser phone where that is its work, else by the server. */
import { useMemo } from 'react';
import { useChange } from '@/graphql/useChange';
import { desk, lineOf, type OwnCall, standOf } from './desk';
import * as ops from './operations';

const op = (): string => crypto.randomUUID();

export interface CallActions {
  answer(call: OwnCall | null): Promise<void>;
  leave(call: OwnCall | null): Promise<void>;
  dial(number: string): Promise<void>;
  hold(call: OwnCall): Promise<void>;
  mute(call: OwnCall, on: boolean): Promise<void>;
  consult(call: OwnCall, number: string): Promise<void>;
  swap(call: OwnCall, to: 'customer' | 'third'): Promise<void>;
  join(call: OwnCall): Promise<void>;
  dropThird(call: OwnCall): Promise<void>;
  complete(call: OwnCall): Promise<void>;
  transfer(call: OwnCall, to: { number?: string; queue?: string; flow?: string }): Promise<boolean>;
  press(call: OwnCall, keys: string): Promise<void>;
  record(call: OwnCall, on: boolean): Promise<void>;
}

export function useCallActions(): CallActions {
  const [dial] = useChange(ops.DIAL);
  const [hold] = useChange(ops.HOLD);
  const [resume] = useChange(ops.RESUME);
  const [mute] = useChange(ops.MUTE);
  const [consult] = useChange(ops.CONSULT);
  const [swap] = useChange(ops.SWAP);
  const [join] = useChange(ops.JOIN);
  const [drop] = useChange(ops.DROP_THIRD);
  const [complete] = useChange(ops.COMPLETE);
  const [transfer] = useChange(ops.TRANSFER);
  const [press] = useChange(ops.PRESS);
  const [record] = useChange(ops.RECORD);
  const [leave] = useChange(ops.LEAVE);
  return useMemo(
    () => ({
      async answer(call) {
        const { phone, line } = desk.getState();
        const ours = lineOf(line, call?.callId);
        if (phone && ours?.state === 'incoming') await phone.answer(ours.id).catch(() => {});
      },
      async leave(call) {
        const { phone, line } = desk.getState();
        const ours = lineOf(line, call?.callId);
        if (phone && ours) {
          if (ours.state === 'incoming') phone.reject(ours.id);
          else phone.hangUp(ours.id);
        } else if (call) {
          await leave({ call: call.callId, op: op() });
        }
      },
      async dial(number) {
        // The server rings the own phone first, which answers a call that this person asked for.
        const placed = await dial({ number, op: op() });
        if (placed.value) desk.getState().set({ dialled: placed.value });
      },
      async hold(call) {
        await (standOf(call) === 'held' ? resume : hold)({ call: call.callId, op: op() });
      },
      async mute(call, on) {
        const { phone, line } = desk.getState();
        const ours = lineOf(line, call.callId);
        if (phone && ours?.state === 'active') phone.mute(on, ours.id);
        else await mute({ call: call.callId, on, op: op() });
      },
      async consult(call, number) {
        await consult({ call: call.callId, number, op: op() });
      },
      async swap(call, to) {
        await swap({ call: call.callId, to, op: op() });
      },
      async join(call) {
        await join({ call: call.callId, op: op() });
      },
      async dropThird(call) {
        await drop({ call: call.callId, op: op() });
      },
      async complete(call) {
        await complete({ call: call.callId, op: op() });
      },
      async transfer(call, to) {
        const answer = await transfer({
          call: call.callId,
          op: op(),
          number: to.number ?? '',
          queue: to.queue ?? '',
          flow: to.flow ?? '',
        });
        return answer.value !== null;
      },
      async press(call, keys) {
        await press({ call: call.callId, keys, op: op() });
      },
      async record(call, on) {
        await record({ call: call.callId, on, op: op() });
      },
    }),
    [complete, consult, dial, drop, hold, join, leave, mute, press, record, resume, swap, transfer],
  );
}
