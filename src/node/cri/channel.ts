// Calls over containerd's socket: unary calls, and its event stream. Errors become readable, an unreachable
// runtime becomes RuntimeUnavailableError. What is called and what it means is not here.
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import type { Clock } from '../../base/clock.ts';
import { RuntimeUnavailableError } from '../runtime.ts';
import type { Envelope } from './generated/events.ts';
import { eventService, taskService } from './services.ts';

/** A call that the runtime refused. */
export class RuntimeCallError extends Error {
  readonly code: number;
  constructor(path: string, code: number, details: string) {
    super(details || `${path} failed with gRPC code ${code}`);
    this.code = code;
  }
  get isNotFound(): boolean {
    return this.code === status.NOT_FOUND;
  }
}

export interface CallOptions {
  /** Left out: two minutes. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 120_000;

/** Where containerd keeps what belongs to Kubernetes: its own services ask for it, CRI knows. */
function namespaceMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set('containerd-namespace', 'k8s.io');
  return metadata;
}

export class CriChannel {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #socket: string;

  constructor(socket: string, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 1000,
    });
  }

  /**
   * Calls a method.
   * @param method of services.ts, which says what `request` is to be.
   * @throws RuntimeCallError, RuntimeUnavailableError
   */
  call<Request, Answer>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Answer>,
    request: NoInfer<Request>,
    { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        namespaceMetadata(),
        { deadline: this.#clock.now() + timeoutMs },
        (error: ServiceError | null, answer?: Answer) => {
          signal?.removeEventListener('abort', cancel);
          if (error) reject(this.#explain(path, error));
          else if (answer === undefined) reject(new RuntimeCallError(path, status.INTERNAL, ''));
          else resolve(answer);
        },
      );
      const cancel = (): void => call.cancel();
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) cancel();
    });
  }

  /**
   * Listens to exits of containers' first processes.
   * @returns what stops it. `ended` is called once, if the stream breaks by itself.
   */
  exits(filter: string, exited: (containerId: string) => void, ended: (error: Error) => void): () => void {
    const method = eventService.Subscribe;
    const stream = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      { filters: [filter] },
      namespaceMetadata(),
    );
    let over = false;
    const end = (error: Error): void => {
      if (over) return;
      over = true;
      ended(error);
    };
    stream.on('data', (envelope: Envelope) => {
      const [containerId, processId] = leadingStrings(envelope.event?.value ?? Buffer.alloc(0));
      if (containerId && containerId === processId) exited(containerId);
    });
    stream.on('error', end);
    stream.on('end', () => end(new Error('containerd closed its event stream')));
    return () => {
      over = true;
      stream.cancel();
    };
  }

  /** Whether a command in a container is there and has ended. */
  async hasEnded(containerId: string, execId: string): Promise<boolean> {
    try {
      const { process } = await this.call(taskService.Get, { container_id: containerId, exec_id: execId });
      return process?.status === 'STOPPED';
    } catch {
      return false;
    }
  }

  close(): void {
    this.#client.close();
  }

  #explain(path: string, error: ServiceError): Error {
    if (error.code === status.UNAVAILABLE) {
      return new RuntimeUnavailableError(
        `the container runtime does not answer on ${this.#socket} (${error.details}); is containerd running?`,
      );
    }
    return new RuntimeCallError(path, error.code, error.details);
  }
}

/** The strings in fields 1 and 2 of a message (containerd.events.TaskExit: container and process). */
function leadingStrings(bytes: Buffer): [string, string] {
  const found: [string, string] = ['', ''];
  for (let at = 0; at < bytes.length && (bytes[at] === 0x0a || bytes[at] === 0x12); ) {
    const index = bytes[at] === 0x0a ? 0 : 1;
    const length = bytes[at + 1] ?? 0;
    // IDs are shorter than 128 bytes: their length is one byte.
    found[index] = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
  }
  return found;
}
