/** Whether the server can be reached, and whether the person is still signed in. */
import { createStore, useStore } from 'zustand';

interface Connection {
  online: boolean;
  signInAgain: boolean;
  answered(reached: boolean): void;
  socketUp(): void;
  socketDown(): void;
  signedOut(): void;
  signedIn(): void;
}

export const connection = createStore<Connection>()((set) => ({
  online: true,
  signInAgain: false,
  answered: (reached) => set((now) => (now.online === reached ? now : { online: reached })),
  socketUp: () => set({ online: true }),
  // A socket also closes when nobody needs it any more: whether the server is away is asked of the server.
  socketDown: () => void probe(),
  signedOut: () => set({ signInAgain: true }),
  signedIn: () => set({ signInAgain: false }),
}));

let probing = false;

async function probe(): Promise<void> {
  if (probing) return;
  probing = true;
  try {
    for (;;) {
      const reached = await fetch('/healthz', { cache: 'no-store' }).then(
        (answer) => answer.status < 502,
        () => false,
      );
      connection.getState().answered(reached);
      if (reached) return;
      await new Promise((done) => setTimeout(done, 2000));
    }
  } finally {
    probing = false;
  }
}

window.addEventListener('offline', () => connection.getState().answered(false));
window.addEventListener('online', () => void probe());

export function useConnection(): Connection {
  return useStore(connection);
}

/** Ask until the server answers again; harmless when it does already. */
export const checkConnection = (): void => void probe();
