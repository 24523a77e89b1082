/** Why a call or the phone itself did not come about, as a code that the pages put into words. */
export type PhoneErrorCode =
  /** The person, or a rule of their computer, refused the microphone. */
  | 'microphone_denied'
  /** There is no microphone, or another program holds it. */
  | 'microphone_missing'
  | 'microphone_busy'
  /** Browsers give a microphone to HTTPS pages and to this machine only. */
  | 'insecure_page'
  /** This browser has no WebRTC, or a rule switches it off. */
  | 'webrtc_unsupported'
  /** Sound cannot find its way between browser and server. */
  | 'media_failed'
  /** The browser plays no sound before the page has been touched: `resumeSound` after a click. */
  | 'sound_blocked'
  | 'not_ready'
  | 'credentials_refused'
  | 'connection_lost'
  | 'no_such_call'
  | 'busy'
  | 'rejected'
  | 'no_answer'
  | 'not_found'
  | 'unavailable'
  | 'failed';

export class PhoneError extends Error {
  readonly code: PhoneErrorCode;
  readonly sipCode: number;

  constructor(code: PhoneErrorCode, message: string = code, sipCode = 0) {
    super(message);
    this.name = 'PhoneError';
    this.code = code;
    this.sipCode = sipCode;
  }
}

/** What `getUserMedia` refused for. */
export function microphoneError(problem: unknown): PhoneError {
  const name = problem instanceof Error || problem instanceof DOMException ? problem.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
    case 'PermissionDeniedError':
      return new PhoneError('microphone_denied', String(problem));
    case 'NotFoundError':
    case 'OverconstrainedError':
    case 'DevicesNotFoundError':
      return new PhoneError('microphone_missing', String(problem));
    case 'NotReadableError':
    case 'AbortError':
      return new PhoneError('microphone_busy', String(problem));
    default:
      return new PhoneError('media_failed', String(problem));
  }
}

/** How a call that was never answered ended, from the SIP code or the cause that JsSIP gives. */
export function callError(sipCode: number, cause: string): PhoneError | null {
  if (sipCode === 486 || sipCode === 600) return new PhoneError('busy', cause, sipCode);
  if (sipCode === 603 || sipCode === 403) return new PhoneError('rejected', cause, sipCode);
  if (sipCode === 404 || sipCode === 484) return new PhoneError('not_found', cause, sipCode);
  if (sipCode === 408 || sipCode === 487) return new PhoneError('no_answer', cause, sipCode);
  if (sipCode === 480 || sipCode === 503) return new PhoneError('unavailable', cause, sipCode);
  switch (cause) {
    case 'Canceled':
    case 'Terminated':
      return null;
    case 'Busy':
      return new PhoneError('busy', cause, sipCode);
    case 'Rejected':
      return new PhoneError('rejected', cause, sipCode);
    case 'No Answer':
    case 'Expires':
      return new PhoneError('no_answer', cause, sipCode);
    case 'Not Found':
    case 'Address Incomplete':
      return new PhoneError('not_found', cause, sipCode);
    case 'Unavailable':
      return new PhoneError('unavailable', cause, sipCode);
    case 'Connection Error':
    case 'Request Timeout':
      return new PhoneError('connection_lost', cause, sipCode);
    case 'User Denied Media Access':
      return new PhoneError('microphone_denied', cause, sipCode);
    case 'WebRTC Error':
    case 'Incompatible SDP':
    case 'Missing SDP':
    case 'Bad Media Description':
    case 'RTP Timeout':
      return new PhoneError('media_failed', cause, sipCode);
    default:
      return new PhoneError('failed', cause, sipCode);
  }
}
