/**
 * The inspector of another thread of this process: of the main one, or, through it, of one of its workers. A connection
 * costs nothing while its debugger is off.
 */
import inspector from 'node:inspector';

export interface Debuggee {
  post(method: string, params?: object): Promise<any>;
  /** What was posted up to now is with the thread, which may be in native code. */
  sent(): Promise<unknown>;
  on(event: string, listener: (params: any) => void): void;
  close(): void;
}

/** Of the process's main thread. Throws where there is no inspector (Node's permission model). */
export function mainDebuggee(): Debuggee {
  const session = connect();
  return {
    post: (method, params) => postTo(session, method, params),
    sent: async () => {},
    on: (event, listener) => void session.on(event, ({ params }: { params: unknown }) => listener(params)),
    close: () => session.disconnect(),
  };
}

/** Of a worker that the main thread has started, by its `threadId`. What is posted waits until the main thread has said which it is. */
export function workerDebuggee(thread: number): Debuggee {
  const session = connect();
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  const listeners = new Map<string, (params: any) => void>();
  let next = 0;
  let worker: string | undefined;
  let sent: Promise<unknown> = Promise.resolve();
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    // Its own count of workers is another one than that of threads.
    if (params.workerInfo.title.startsWith(`[worker ${thread}]`)) worker = params.sessionId;
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    if (params.sessionId !== worker) return;
    const { id, result, error, method, params: told } = JSON.parse(params.message);
    if (id === undefined) return listeners.get(method)?.(told);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error.message));
    else asked?.resolve(result);
  });
  const attached = postTo(session, 'NodeWorker.enable', { waitForDebuggerOnStart: false }).then(() => {
    if (worker === undefined) throw new Error(`Thread ${thread} is none that the main thread has started`);
  });
  attached.catch(() => {}); // whoever posts hears of it
  return {
    async post(method, params = {}) {
      await attached;
      return new Promise((resolve, reject) => {
        const id = ++next;
        waiting.set(id, { resolve, reject });
        const message = JSON.stringify({ id, method, params });
        sent = postTo(session, 'NodeWorker.sendMessageToWorker', { sessionId: worker, message });
        sent.catch(reject);
      });
    },
    sent: async () => {
      await attached;
      await sent.catch(() => {});
    },
    on: (event, listener) => void listeners.set(event, listener),
    close() {
      session.disconnect();
      for (const { reject } of waiting.values()) reject(new Error('The inspector has let go'));
      waiting.clear();
    },
  };
}

function connect(): inspector.Session {
  const session = new inspector.Session();
  session.connectToMainThread();
  return session;
}

function postTo(session: inspector.Session, method: string, params: object = {}): Promise<any> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => (error ? reject(error as Error) : resolve(result)));
  });
}
