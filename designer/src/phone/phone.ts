/**
 * The phone in the browser, over JsSIP. Knows nothing of React: pages read `snapshot()` and listen with `subscribe()`
 * (both fit `useSyncExternalStore`), and act by methods. Holding, transfers and conferences are the server's work,
 * through its API; this phone rings, speaks, hears, mutes, presses keys and hangs up.
 */
import JsSIP from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { IncomingRTCSessionEvent, OutgoingRTCSessionEvent, UA } from 'jssip/lib/UA';
import { callError, microphoneError, PhoneError } from './errors';

/** What the mutation `webPhone` answers. */
export interface PhoneCredentials {
  uri: string;
  user: string;
  password: string;
  wsPath: string;
  number: string;
  displayName: string;
  iceServers: { urls: string; username: string; credential: string }[];
  expiresAt: string;
}

export type PhoneState =
  | 'off'
  | 'connecting'
  /** Registered: calls can come and go. */
  | 'ready'
  /** The connection is lost and sought again; a call that is up goes on. */
  | 'reconnecting'
  /** Given up until `start` is called again; `error` says why. */
  | 'failed';

export type CallState = 'incoming' | 'dialling' | 'ringing' | 'active' | 'ended';

export interface PhoneCall {
  readonly id: string;
  /** The server's id of the call, when it told: how a call in the API is known to be this one. */
  readonly serverId: string | null;
  readonly direction: 'in' | 'out';
  readonly number: string;
  readonly name: string;
  readonly state: CallState;
  readonly muted: boolean;
  readonly startedAt: number;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
  readonly error: PhoneError | null;
}

export interface PhoneSnapshot {
  readonly state: PhoneState;
  readonly number: string;
  readonly error: PhoneError | null;
  /** Live calls and those that ended a moment ago, oldest first. */
  readonly calls: readonly PhoneCall[];
  /** The one that is up or about to be. */
  readonly current: PhoneCall | null;
}

export interface PhoneOptions {
  /** Asks the API for credentials (`webPhone`); called again before they end and when they are refused. */
  credentials: () => Promise<PhoneCredentials>;
  /** Where the other party is heard; one is made when none is given. */
  audio?: HTMLAudioElement;
  /** Whether to answer a call at once. */
  autoAnswer?: (call: PhoneCall) => boolean;
  /** The microphone to use, as `enumerateDevices` names it. */
  microphone?: () => string | undefined;
  /** Host of the server; the page's own by default. */
  origin?: string;
}

interface Live {
  call: PhoneCall;
  session: RTCSession;
  stream: MediaStream | null;
  code: number;
}

const AGAIN_MS = 5_000;
const PATIENCE_MS = 10_000;
const GATHERING_MS = 700;
const SHOWN_MS = 4_000;
/** What a telephone engine says of a channel whose sound stopped coming. */
const LOST = 'Reason: Q.850;cause=44;text="page closed"';

export class Phone {
  readonly audio: HTMLAudioElement;
  #options: PhoneOptions;
  #ua: UA | null = null;
  #credentials: PhoneCredentials | null = null;
  #live = new Map<string, Live>();
  #listeners = new Set<() => void>();
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  #snapshot: PhoneSnapshot = { state: 'off', number: '', error: null, calls: [], current: null };

  constructor(options: PhoneOptions) {
    this.#options = options;
    this.audio = options.audio ?? new Audio();
    this.audio.autoplay = true;
  }

  // ------------------------------------------------------------------ reading

  snapshot = (): PhoneSnapshot => this.#snapshot;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  // ------------------------------------------------------------------ life

  /**
   * Become a phone. Resolves when registered; rejects with a `PhoneError`. After `connection_lost` it goes on trying:
   * the state tells when it is ready.
   */
  async start(): Promise<void> {
    if (this.#ua) return;
    this.#change({ state: 'connecting', error: null });
    try {
      checkBrowser();
      this.#credentials = await this.#options.credentials();
    } catch (problem) {
      const error =
        problem instanceof PhoneError ? problem : new PhoneError('credentials_refused', String(problem));
      this.#change({ state: 'failed', error });
      throw error;
    }
    const given = this.#credentials;
    const origin = this.#options.origin ?? location.origin;
    const ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(origin.replace(/^http/, 'ws') + given.wsPath)],
      uri: given.uri,
      authorization_user: given.user,
      password: given.password,
      display_name: given.displayName,
      register: true,
      register_expires: 60,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: 'Callweave browser phone',
    });
    this.#ua = ua;
    window.addEventListener('pagehide', this.#leaves);
    this.#renewLater(given);
    ua.on('connected', () => {
      // Calls that went on without a connection are told where this phone is now.
      for (const live of this.#live.values()) {
        if (live.session.isEstablished() && live.session.isReadyToReOffer()) live.session.renegotiate();
      }
    });
    ua.on('disconnected', () => {
      if (this.#ua === ua) this.#change({ state: 'reconnecting', error: new PhoneError('connection_lost') });
    });
    ua.on('registered', () => this.#change({ state: 'ready', error: null, number: given.number }));
    ua.on(
      'registrationFailed',
      ({ response, cause }) => void this.#refused(response?.status_code ?? 0, cause ?? ''),
    );
    ua.on('newRTCSession', (event: IncomingRTCSessionEvent | OutgoingRTCSessionEvent) => {
      if (event.originator === 'remote') this.#incoming(event as IncomingRTCSessionEvent);
    });
    ua.start();
    await this.#registered(ua);
  }

  /** Stop being a phone: calls end, nothing rings here any more. */
  stop(): void {
    clearTimeout(this.#renewal);
    window.removeEventListener('pagehide', this.#leaves);
    const ua = this.#ua;
    this.#ua = null;
    ua?.stop();
    this.#change({ state: 'off', error: null });
  }

  /**
   * The page goes away, is loaded again or closed: the server is told at once that the phone is lost, which is not the
   * same as hanging up. The other party hears music and the call is offered back here, then to others.
   */
  #leaves = (): void => {
    for (const { session } of this.#live.values()) {
      if (session.isEstablished() && !session.isEnded()) session.terminate({ extraHeaders: [LOST] });
    }
  };

  // ------------------------------------------------------------------ calls

  /** Call a number. Resolves when the order is given; watch `snapshot()` for what becomes of it. */
  async call(number: string): Promise<PhoneCall> {
    const ua = this.#ready();
    const stream = await this.#microphone();
    const host = this.#credentials?.uri.split('@')[1] ?? '';
    const session = ua.call(
      `sip:${encodeURIComponent(number).replaceAll('%2B', '+').replaceAll('%23', '#')}@${host}`,
      {
        mediaStream: stream,
        mediaConstraints: { audio: true, video: false },
        pcConfig: this.#peerConfig(),
      },
    );
    return this.#follow(session, 'out', number, '', null, stream);
  }

  async answer(id?: string): Promise<void> {
    const live = this.#find(id, (one) => one.call.state === 'incoming');
    try {
      live.stream = await this.#microphone();
    } catch (problem) {
      this.#update(live, { error: problem as PhoneError });
      throw problem;
    }
    if (live.session.isEnded()) throw new PhoneError('no_such_call');
    live.session.answer({
      mediaStream: live.stream,
      mediaConstraints: { audio: true, video: false },
      pcConfig: this.#peerConfig(),
    });
  }

  /** Refuse a call that rings here: the caller's flow goes on. */
  reject(id?: string): void {
    this.#find(id, (one) => one.call.state === 'incoming').session.terminate({ status_code: 486 });
  }

  hangUp(id?: string): void {
    const live = this.#find(id, (one) => one.call.state !== 'ended');
    if (!live.session.isEnded()) live.session.terminate();
  }

  mute(on: boolean, id?: string): void {
    const live = this.#find(id, (one) => one.call.state === 'active');
    if (on) live.session.mute({ audio: true });
    else live.session.unmute({ audio: true });
    this.#update(live, { muted: on });
  }

  /** Press keys: 0-9, * and #. */
  sendKeys(keys: string, id?: string): void {
    const live = this.#find(id, (one) => one.call.state === 'active');
    live.session.sendDTMF(keys, {
      duration: 120,
      interToneGap: 100,
      transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833,
    });
  }

  /** Play what the browser held back (`sound_blocked`); call it from a click. */
  async resumeSound(): Promise<void> {
    await this.audio.play();
    this.#change({ error: null });
  }

  /** How well the other party is heard, from the connection's own counts. */
  async quality(id?: string): Promise<{ received: number; lost: number; bytes: number; jitter: number }> {
    const live = this.#find(id, (one) => one.call.state === 'active');
    const found = { received: 0, lost: 0, bytes: 0, jitter: 0 };
    for (const report of (await live.session.connection.getStats()).values()) {
      if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
      found.received += report.packetsReceived ?? 0;
      found.lost += report.packetsLost ?? 0;
      found.bytes += report.bytesReceived ?? 0;
      found.jitter = Math.max(found.jitter, report.jitter ?? 0);
    }
    return found;
  }

  // ------------------------------------------------------------------ registration

  #registered(ua: UA): Promise<void> {
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => {
        stop();
        reject(new PhoneError('connection_lost'));
      }, PATIENCE_MS);
      const look = () => {
        const { state, error } = this.#snapshot;
        if (this.#ua !== ua || state === 'failed') {
          stop();
          reject(error ?? new PhoneError('failed', 'the phone was stopped'));
        } else if (state === 'ready') {
          stop();
          resolve();
        }
      };
      const leave = this.subscribe(look);
      const stop = () => {
        clearTimeout(patience);
        leave();
      };
      look();
    });
  }

  #renewLater(given: PhoneCredentials): void {
    clearTimeout(this.#renewal);
    const left = new Date(given.expiresAt).getTime() - Date.now();
    this.#renewal = setTimeout(() => void this.#renew(), Math.max(AGAIN_MS, left / 2));
  }

  /** Fetch the next password before the old one ends. */
  async #renew(): Promise<void> {
    const ua = this.#ua;
    if (!ua) return;
    try {
      const given = await this.#options.credentials();
      if (this.#ua !== ua) return;
      this.#credentials = given;
      ua.set('password', given.password);
      this.#renewLater(given);
    } catch {
      this.#renewal = setTimeout(() => void this.#renew(), AGAIN_MS);
    }
  }

  /** The server does not know the password any more (or forgot it with a restart): ask for another. */
  async #refused(sipCode: number, cause: string): Promise<void> {
    const ua = this.#ua;
    if (!ua || cause === 'Connection Error') return;
    this.#change({ state: 'reconnecting', error: new PhoneError('credentials_refused', cause, sipCode) });
    await new Promise((done) => setTimeout(done, Math.max(0, this.#asked + AGAIN_MS - Date.now())));
    if (this.#ua !== ua) return;
    this.#asked = Date.now();
    try {
      const given = await this.#options.credentials();
      if (this.#ua !== ua) return;
      this.#credentials = given;
      ua.set('password', given.password);
      this.#renewLater(given);
      ua.register();
    } catch (problem) {
      const refused = problem instanceof PhoneError && problem.code === 'credentials_refused';
      if (!refused) {
        // The API is away, too: JsSIP tries again with the next connection.
        setTimeout(() => this.#ua === ua && ua.isConnected() && ua.register(), AGAIN_MS);
        return;
      }
      this.#ua = null;
      ua.stop();
      this.#change({ state: 'failed', error: problem });
    }
  }

  #ready(): UA {
    if (!this.#ua || this.#snapshot.state !== 'ready') throw new PhoneError('not_ready');
    return this.#ua;
  }

  // ------------------------------------------------------------------ sessions

  #incoming(event: IncomingRTCSessionEvent): void {
    const { session, request } = event;
    const identity = session.remote_identity;
    const serverId = request.getHeader('X-Callweave-Call') ?? null;
    const call = this.#follow(session, 'in', identity.uri.user, identity.display_name ?? '', serverId, null);
    if (this.#options.autoAnswer?.(call)) void this.answer(call.id).catch(() => undefined);
  }

  #follow(
    session: RTCSession,
    direction: 'in' | 'out',
    number: string,
    name: string,
    serverId: string | null,
    stream: MediaStream | null,
  ): PhoneCall {
    const live: Live = {
      session,
      stream,
      code: 0,
      call: {
        id: session.id,
        serverId,
        direction,
        number,
        name,
        state: direction === 'in' ? 'incoming' : 'dialling',
        muted: false,
        startedAt: Date.now(),
        answeredAt: null,
        endedAt: null,
        error: null,
      },
    };
    this.#live.set(session.id, live);
    const hear = (connection: RTCPeerConnection) => {
      connection.addEventListener('track', (event) => {
        this.audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
        this.audio.play().catch((problem: unknown) => {
          if (problem instanceof DOMException && problem.name === 'NotAllowedError')
            this.#change({ error: new PhoneError('sound_blocked') });
        });
      });
      connection.addEventListener('connectionstatechange', () => {
        if (connection.connectionState === 'failed')
          this.#update(live, { error: new PhoneError('media_failed') });
      });
    };
    if (session.connection) hear(session.connection);
    else
      session.on('peerconnection', ({ peerconnection }: { peerconnection: RTCPeerConnection }) =>
        hear(peerconnection),
      );
    let gathering: ReturnType<typeof setTimeout> | undefined;
    session.on('icecandidate', ({ ready }: { ready: () => void }) => {
      // One slow STUN server or interface must not hold the call.
      gathering ??= setTimeout(ready, GATHERING_MS);
    });
    session.on('progress', () => {
      if (direction === 'out') this.#update(live, { state: 'ringing' });
    });
    session.on('accepted', () => this.#update(live, { state: 'active', answeredAt: Date.now() }));
    const over = (error: PhoneError | null) => {
      clearTimeout(gathering);
      for (const track of live.stream?.getTracks() ?? []) track.stop();
      this.#update(live, { state: 'ended', endedAt: Date.now(), error });
      setTimeout(() => {
        this.#live.delete(session.id);
        this.#publish();
      }, SHOWN_MS);
    };
    session.on('ended', () => over(null));
    session.on('failed', ({ message, cause }: { message: unknown; cause: string }) => {
      const code = (message as { status_code?: number } | null)?.status_code ?? 0;
      over(direction === 'in' && cause !== 'User Denied Media Access' ? null : callError(code, cause));
    });
    this.#publish();
    return live.call;
  }

  #find(id: string | undefined, wanted: (live: Live) => boolean): Live {
    const found = id === undefined ? [...this.#live.values()].findLast(wanted) : this.#live.get(id);
    if (!found) throw new PhoneError('no_such_call');
    return found;
  }

  #peerConfig(): RTCConfiguration {
    return {
      iceServers: (this.#credentials?.iceServers ?? []).map(({ urls, username, credential }) =>
        username ? { urls, username, credential } : { urls },
      ),
    };
  }

  async #microphone(): Promise<MediaStream> {
    checkBrowser();
    const chosen = this.#options.microphone?.();
    try {
      return await navigator.mediaDevices.getUserMedia({
        audio: {
          echoCancellation: true,
          noiseSuppression: true,
          autoGainControl: true,
          ...(chosen ? { deviceId: { ideal: chosen } } : {}),
        },
        video: false,
      });
    } catch (problem) {
      const error = microphoneError(problem);
      this.#change({ error });
      throw error;
    }
  }

  // ------------------------------------------------------------------ state

  #update(live: Live, change: Partial<PhoneCall>): void {
    live.call = { ...live.call, ...change };
    this.#publish();
  }

  #publish(): void {
    const calls = [...this.#live.values()].map((live) => live.call);
    this.#change({ calls, current: calls.findLast((call) => call.state !== 'ended') ?? null });
  }

  #change(change: Partial<PhoneSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Raise what keeps this browser from being a phone at all. */
export function checkBrowser(): void {
  if (typeof RTCPeerConnection === 'undefined') throw new PhoneError('webrtc_unsupported');
  if (!navigator.mediaDevices?.getUserMedia)
    throw new PhoneError(window.isSecureContext ? 'webrtc_unsupported' : 'insecure_page');
}
