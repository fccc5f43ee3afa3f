// The node process as it is reached over its socket: streams that end, break, stand still and are given up.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { ExecOptions, Session } from '../../api/between/node-streams.ts';
import { badRequest, StatusError } from '../../api/errors.ts';
import { systemClock } from '../process/system-clock.ts';
import { UserError } from '../process/user-error.ts';
import type { NodeConnection } from './node-protocol.ts';
import { type ReachedNode, reachNode } from './reach-node.ts';
import { serveNode } from './serve-node.ts';

const TARGET = { namespace: 'default', name: 'web-0', uid: 'u', container: 'web' };
const LOG = { follow: false, previous: false, timestamps: false };
const PIPED: ExecOptions = { command: ['cat'], stdin: true, stdout: true, stderr: true, tty: false };
const MANY_BYTES = 8 * 1024 * 1024;

describe('a node process, reached over its socket', () => {
  const directory = mkdtempSync(join(tmpdir(), 'stead-node-'));
  const socket = join(directory, 'node.sock');
  /** What the node's side has seen. */
  const seen: string[] = [];
  let connections: NodeConnection[] = [];
  let ended = 0;
  let close: () => Promise<void>;
  let node: ReachedNode;
  /** A command that gives back what it is given, and ends with its input. */
  let session: (options: ExecOptions) => Session;
  let port: () => Promise<Duplex>;

  const echo = (options: ExecOptions): Session => {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    stderr.end('complaint');
    return {
      ...(options.stdin ? { stdin: stdout } : {}),
      stdout,
      stderr,
      resize: (columns, rows) => void seen.push(`size ${columns}x${rows}`),
      exit: once(stdout, 'end').then(() => ({ exitCode: 3 })),
      close: () => void seen.push('closed'),
    };
  };

  before(async () => {
    close = await serveNode(socket, {
      hello: () => ({
        pid: 1,
        nodeName: 'n',
        identity: 'i',
        description: { dns: 'd', podCidr: 'p', services: 's', policies: 'n', volumes: 'v' },
      }),
      connect: (connection) => void connections.push(connection),
      streams: {
        async *logs({ container }, { tailLines }, signal) {
          if (container === 'none') throw badRequest('container none is not valid');
          for (let line = 0; line < (tailLines ?? 0); line++) yield Buffer.from(`${line}\n`);
          if (container === 'breaks') throw new Error('the disk is gone');
          if (container === 'follows') await once(signal, 'abort');
          seen.push('log ended');
        },
        exec: async (_target, options) => session(options),
        attach: async (_target, options) => echo({ ...options, command: [] }),
        portForward: () => port(),
      },
      loadImage: async (file, signal) => {
        if (file === '/bad file') throw new UserError('it is no archive');
        if (file === '/endless') await once(signal, 'abort');
        return [file];
      },
      listImages: async () => [{ names: ['a'], id: 'x', sizeBytes: 1 }],
      metrics: async () => 'kubelet_evictions 1\n',
      stop: async () => {},
      close: async () => void seen.push('close asked'),
      ended: () => void ended++,
    });
    const reached = await reachNode(socket, systemClock);
    assert.ok(reached);
    assert.equal(reached.hello.description.dns, 'd');
    node = reached.node;
  });
  after(async () => {
    node.leave();
    await close();
    rmSync(directory, { recursive: true });
  });

  const seesSoon = async (what: string): Promise<void> => {
    while (!seen.includes(what)) await new Promise((resolve) => setTimeout(resolve, 5));
    seen.length = 0;
  };

  it('is for its owner alone, and undefined where nobody listens', async () => {
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    assert.equal(await reachNode(join(directory, 'none.sock'), systemClock), undefined);
  });

  it('does what it is asked, and says in the same words what it cannot', async () => {
    assert.deepEqual(await node.listImages(), [{ names: ['a'], id: 'x', sizeBytes: 1 }]);
    assert.equal(await node.metrics(), 'kubelet_evictions 1\n');
    const never = new AbortController().signal;
    assert.deepEqual(await node.loadImage('/good', never), ['/good']);
    await assert.rejects(node.loadImage('/bad file', never), (error) => {
      assert.ok(error instanceof UserError);
      return error.message === 'it is no archive';
    });
    await assert.rejects(node.loadImage('/endless', AbortSignal.timeout(20)));
    const pair = { cert: 'c', key: 'k' };
    await node.connectTo({ nodeName: 'n', server: 's', ca: 'ca', node: pair, dns: pair });
    assert.equal(connections[0]?.node.key, 'k');
    connections = [];
  });

  it('sends logs; an error before the first line is told as one, one after it breaks the log off', async () => {
    const never = new AbortController().signal;
    const read = async (container: string, signal = never, tailLines = 3): Promise<string> => {
      let lines = '';
      for await (const chunk of node.logs({ ...TARGET, container }, { ...LOG, tailLines }, signal))
        lines += chunk;
      return lines;
    };
    assert.equal(await read('web'), '0\n1\n2\n');
    await assert.rejects(read('none'), (error) => error instanceof StatusError && error.code === 400);
    await assert.rejects(read('breaks'));
    seen.length = 0;
    assert.equal(await read('follows', AbortSignal.timeout(50), 1), '0\n');
    await seesSoon('log ended');
  });

  it('runs commands: input, both outputs, sizes and the exit code', async () => {
    session = echo;
    const { exit, resize, stderr, stdin, stdout } = await node.exec(TARGET, PIPED);
    assert.ok(stdin && stdout && stderr);
    resize(80, 24);
    await seesSoon('size 80x24');
    const output = text(stdout as Readable);
    stdin.end(Buffer.alloc(MANY_BYTES, 'x'));
    assert.equal(await text(stderr as Readable), 'complaint');
    assert.equal((await output).length, MANY_BYTES);
    assert.deepEqual(await exit, { exitCode: 3 });
    await seesSoon('closed');
  });

  it('loses nothing of a command that has ended before its output is read', async () => {
    /** Ends at once; who has not begun to read by then reads nothing. */
    const brief = (what: string): PassThrough => {
      const output = new PassThrough();
      output.end(what);
      setImmediate(() => void (output.readableFlowing === null && output.resume()));
      return output;
    };
    session = () => ({
      stdout: brief('quick'),
      stderr: brief('er'),
      resize() {},
      exit: Promise.resolve({ exitCode: 0 }),
      close() {},
    });
    for (let time = 0; time < 20; time++) {
      const { exit, stderr, stdout } = await node.exec(TARGET, { ...PIPED, stdin: false });
      await new Promise((resolve) => setTimeout(resolve, time));
      assert.equal(await text(stdout as Readable), 'quick');
      assert.equal(await text(stderr as Readable), 'er');
      assert.deepEqual(await exit, { exitCode: 0 });
    }
  });

  it('has no channels that were not asked for, and attaches', async () => {
    const attached = await node.attach(TARGET, { stdin: false, stdout: true, stderr: true, tty: false });
    assert.equal(attached.stdin, undefined);
    attached.close();
    await assert.rejects(attached.exit);
    await seesSoon('closed');
  });

  it('says why a command could not be run', async () => {
    session = () => {
      throw badRequest('container not found ("web")');
    };
    await assert.rejects(node.exec(TARGET, PIPED), /container not found/);
    session = (options) => {
      const { exit, ...channels } = echo(options);
      exit.catch(() => {});
      return { ...channels, exit: Promise.reject(new Error('containerd is gone')) };
    };
    const broken = await node.exec(TARGET, PIPED);
    await assert.rejects(broken.exit, /containerd is gone/);
  });

  it('lets one that nobody reads hold up no other', async () => {
    session = echo;
    const unread = await Promise.all(Array.from({ length: 20 }, () => node.exec(TARGET, PIPED)));
    for (const { stdin } of unread) stdin?.write(Buffer.alloc(MANY_BYTES, 'y'));
    const other = await node.exec(TARGET, PIPED);
    other.stdin?.end('quick');
    assert.equal(await text(other.stdout as Readable), 'quick');
    for (const each of unread) {
      each.exit.catch(() => {});
      each.close();
    }
  });

  it('forwards ports both ways, half-closed, and says why one broke', async () => {
    const pod = new PassThrough();
    port = async () => pod;
    const forwarded = await node.portForward(TARGET, 80);
    forwarded.end('hello');
    assert.equal(await text(forwarded), 'hello');
    port = async () =>
      new Duplex({
        read() {},
        write(_chunk, _encoding, done) {
          done(new Error('connection refused'));
        },
      });
    const broken = await node.portForward(TARGET, 81);
    broken.write('x');
    const [error] = await once(broken, 'error');
    assert.match(error.message, /connection refused/);
    port = () => Promise.reject(badRequest('pod "web-0" is not running'));
    await assert.rejects(node.portForward(TARGET, 82), /is not running/);
  });

  it('ends when it is asked to, once it has said so', async () => {
    await node.end('close');
    await seesSoon('close asked');
    while (ended === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(ended, 1);
  });
});
