import { describe, expect, it } from 'vitest';
import { callError, microphoneError } from './errors';

describe('why there is no call', () => {
  it.each([
    ['NotAllowedError', 'microphone_denied'],
    ['NotFoundError', 'microphone_missing'],
    ['NotReadableError', 'microphone_busy'],
    ['SomethingNew', 'media_failed'],
  ])('a microphone that answers %s is %s', (name, code) => {
    expect(microphoneError(new DOMException('no', name)).code).toBe(code);
  });

  it.each([
    [486, 'Busy', 'busy'],
    [603, 'Rejected', 'rejected'],
    [404, 'Not Found', 'not_found'],
    [480, 'Unavailable', 'unavailable'],
    [0, 'Connection Error', 'connection_lost'],
    [0, 'WebRTC Error', 'media_failed'],
    [500, 'SIP Failure Code', 'failed'],
  ])('SIP %d with the cause %s is %s', (sip, cause, code) => {
    expect(callError(sip, cause)?.code).toBe(code);
  });

  it('a call that this side gave up is no error', () => {
    expect(callError(0, 'Canceled')).toBeNull();
  });
});
