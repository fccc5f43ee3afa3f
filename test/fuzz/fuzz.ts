// Throws made-up requests at an API server over a memory store, and says what should never be: an answer of 500 and
// above, an error that is no Status, something stored that is not valid. main.ts is the command for long runs.

import type { ResourceDefinition } from '../../src/api/resource.ts';
import type { CertificateSubject } from '../../src/apiserver/authn/authenticate.ts';
import { dispatch } from '../../src/apiserver/http/routes/dispatcher.ts';
import { dispatcherParts } from '../../src/apiserver/http/test-front-door.ts';
import { startTestServer, type TestServer } from '../../src/apiserver/test-server.ts';
import { invalidObjects } from './check-store.ts';
import { Dice } from './dice.ts';
import { MemoryExchange } from './memory-exchange.ts';
import { overHttps } from './over-https.ts';
import { type FuzzRequest, makeRequest, type Send } from './requests.ts';

export interface FuzzReport {
  /** Answers by code. */
  codes: Record<string, number>;
  /** What should never be. */
  problems: string[];
  /** Objects in the store at the end. */
  stored: number;
}

const ADMIN: CertificateSubject = { CN: 'fuzz', O: 'system:masters' };
/** The problems that are told; the rest are counted. */
const MAX_PROBLEMS = 20;

/** @param seed the same seed makes the same requests. */
export async function fuzz(requests: number, seed: number, https: boolean): Promise<FuzzReport> {
  const server = await startTestServer();
  const { send, close } = https
    ? await overHttps(server)
    : { send: inProcess(server), close: async () => {} };
  const dice = new Dice(seed);
  const [first, ...others] = server.api.resources();
  if (!first) throw new Error('nothing is served');
  const resources: [ResourceDefinition, ...ResourceDefinition[]] = [first, ...others];
  const report: FuzzReport = { codes: {}, problems: [], stored: 0 };
  try {
    for (let count = 0; count < requests; count++) {
      const request = makeRequest(dice, resources, server.api.schema);
      const problem = await whileTimePasses(server, attempt(send, request, report));
      if (problem && report.problems.length < MAX_PROBLEMS) {
        const { method, target, headers, body } = request;
        const shown = body.subarray(0, 2000).toString();
        report.problems.push(`${problem}: ${method} ${target} ${JSON.stringify(headers)} ${shown}`);
      }
    }
    report.problems.push(...(await invalidObjects(server.store, server.api)));
    report.stored = (await server.store.list('/registry/')).entries.length;
  } finally {
    await close();
    server.api.stop();
  }
  return report;
}

/** Turns of the loop after which a request that has not ended is taken to wait for time to pass. */
const PATIENT_TURNS = 20;
const STEP_MS = 100;

/** Waits for a request, and moves the clock on if it waits for that. */
async function whileTimePasses<T>({ clock }: TestServer, work: Promise<T>): Promise<T> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  work.then(end, end);
  for (let turn = 1; !ended; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (turn % PATIENT_TURNS === 0) clock.advance(STEP_MS);
  }
  return work;
}

/** Sends a request; gives what is wrong with the answer. */
async function attempt(send: Send, request: FuzzRequest, report: FuzzReport): Promise<string | undefined> {
  try {
    const { code, contentType, body } = await send(request);
    report.codes[code] = (report.codes[code] ?? 0) + 1;
    if (code >= 500 && !isExpected(code, body, request.method))
      return `answered ${code}: ${body.subarray(0, 500)}`;
    if (code >= 400 && contentType === 'application/json' && request.method !== 'HEAD') {
      const status: unknown = JSON.parse(body.toString());
      if (typeof status !== 'object' || status === null || !('kind' in status) || status.kind !== 'Status') {
        return `answered ${code} without a Status`;
      }
    }
    return undefined;
  } catch (error) {
    return `no answer: ${error instanceof Error ? error.stack : String(error)}`;
  }
}

/** Upstream answers so, too: a version that is not there yet (504), and streams without a node or endpoint to reach (503). */
function isExpected(code: number, body: Buffer, method: string): boolean {
  const text = body.toString();
  if (code === 504) return method === 'HEAD' || text.includes('Too large resource version');
  if (code !== 503) return false;
  // An answer to HEAD has no words.
  return (
    method === 'HEAD' || /streams into pods are not served here|no (?:endpoints|service port)/.test(text)
  );
}

function inProcess(server: TestServer): Send {
  const parts = dispatcherParts(server);
  return async (request) => {
    const exchange = new MemoryExchange(request, ADMIN);
    await dispatch(parts, exchange);
    const { code, headers, answer } = exchange;
    return { code, contentType: String(headers['content-type'] ?? ''), body: Buffer.from(answer) };
  };
}
